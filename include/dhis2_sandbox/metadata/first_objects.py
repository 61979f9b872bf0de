"""What does an empty server hold?

The four default category objects with the UIDs that every DHIS2 gives them, and one superuser
(recordings: 002-me, 007-default-categoryCombos to 010-default-categoryOptions).
"""

import json
from pathlib import Path
from typing import Any

from dhis2_sandbox.dialect import Dialect
from dhis2_sandbox.identifiers import uid_derived_from
from dhis2_sandbox.metadata.members import sharing_given
from dhis2_sandbox.metadata.store import Members


ADMIN = "M5zQapPyTZI"
#: The category objects of which every server has its own; they are called `default`.
_DEFAULTS = ("HllvX50cXC0", "xYerKDKCefk", "GLevLNI9wkl", "bjDvmb4bfuf")


def first_objects(
    stamp: str, dialect: Dialect, *, old_defaults: bool = False
) -> dict[str, list[Members]]:
    """Return the metadata of a new server, by class, as made at this moment.

    With `old_defaults` it is born before the default objects had fixed UIDs (metadata 2.5).
    """
    text = (Path(__file__).parent / "first_objects.json").read_text(encoding="utf-8")
    for uid in _DEFAULTS if old_defaults else ():
        text = text.replace(uid, uid_derived_from(f"{uid} of an old server"))
    objects: dict[str, list[Members]] = json.loads(text)
    made = {"created": stamp, "lastUpdated": stamp}
    return {
        plural: [item | made | _sharing(item, dialect) for item in items]
        for plural, items in objects.items()
    }


def _sharing(item: Members, dialect: Dialect) -> dict[str, Any]:
    """Return how the version shares the object: its own owner, if it has one (recordings: 022)."""
    if "sharing" not in item:
        return {}
    sharing = sharing_given(item["sharing"], "", dialect.minor)
    del sharing["owner"]
    owner = {} if dialect.system_owner is None else {"owner": dialect.system_owner}
    return {"sharing": owner | sharing}
