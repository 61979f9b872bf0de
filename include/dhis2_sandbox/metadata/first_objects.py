"""What does an empty server hold?

The four default category objects with the UIDs that every DHIS2 gives them, and one superuser
(recordings: 002-me, 007-default-categoryCombos to 010-default-categoryOptions).
"""

import json
from pathlib import Path

from dhis2_sandbox.metadata.store import Members


ADMIN = "M5zQapPyTZI"
OPTION_COMBO = "HllvX50cXC0"
#: The four category objects of which every server has its own.
DEFAULT_UIDS = frozenset({OPTION_COMBO, "xYerKDKCefk", "GLevLNI9wkl", "bjDvmb4bfuf"})


def first_objects(stamp: str) -> dict[str, list[Members]]:
    """Return the metadata of a new server, by class, as made at this moment."""
    text = (Path(__file__).parent / "first_objects.json").read_text(encoding="utf-8")
    made = {"created": stamp, "lastUpdated": stamp}
    objects: dict[str, list[Members]] = json.loads(text)
    return {plural: [item | made for item in items] for plural, items in objects.items()}
