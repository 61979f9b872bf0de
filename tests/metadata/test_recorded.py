"""Does a real server give back what it was sent?

DHIS2 2.42.4 was sent the sandbox's district and then asked for its HIV program
(recordings: 015-metadata-rest-commit, 022-program-metadata-HIV).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import dhis2_sandbox
from tracker_sync.metadata.difference import difference


RECORDED = Path(__file__).parent / "recorded" / "program-metadata-HIV.json"
DISTRICT = Path(dhis2_sandbox.__file__).parent / "district" / "metadata.json"

#: What the payload left out and the server filled in; a source's own export has them.
FILLED_IN = {
    "autoGenerateEvent",
    "categoryCombo",
    "displayGenerateEventBox",
    "minAttributesRequiredToSearch",
}


def test_a_real_server_gives_back_what_it_was_sent() -> None:
    theirs = by_uid(json.loads(RECORDED.read_text()))
    sent = by_uid(json.loads(DISTRICT.read_text()))
    ours = {
        plural: {uid: fields for uid, fields in sent[plural].items() if uid in theirs[plural]}
        for plural in theirs
    }
    assert all(ours.values())

    found = difference(ours, theirs)

    assert {name for change in found.changes for name in change.fields} <= FILLED_IN
    assert not any(change.is_new for change in found.changes)
    assert found.counts["options"].same == len(theirs["options"])


def by_uid(classes: dict[str, list[dict[str, Any]]]) -> dict[str, dict[str, dict[str, Any]]]:
    return {
        plural: {fields["id"]: fields for fields in objects} for plural, objects in classes.items()
    }
