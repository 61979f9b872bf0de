"""The program's reading: what is a program made of, and how is it asked for?"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from dhis2_api.client import Dhis2Client
from dhis2_api.errors import RequestRefused
from dhis2_api.metadata import Fields, read_program
from dhis2_api.metadata_classes import Asked
from tracker_sync.metadata.classes import OF_PROGRAM, Objects
from tracker_sync.metadata.cut_answers import require_whole


#: Nobody may read rules without their actions, and no filter names the program of an action.
_FIELDS = {"programRules": ":owner,programRuleActions[:owner]"}

_NOT_ALLOWED = 409


def export_of(client: Dhis2Client, program: str) -> Objects | None:
    """Return a program's own export by class and UID, or nothing where it is not allowed.

    Raises:
        UnexpectedAnswer: What came was cut.
        RequestRefused: 404, there is no such program, or it can't be read.
    """
    try:
        classes = read_program(client, program)
    except RequestRefused as refused:
        if refused.status == _NOT_ALLOWED:
            return None
        raise
    require_whole(client.name, classes)
    return {plural: {row["id"]: row for row in rows} for plural, rows in classes.items()}


def of_programs(programs: Collection[str]) -> list[Asked]:
    """Return how to ask for programs and all that names them."""
    uids = tuple(sorted(programs))
    if not uids:
        return []
    owned = [
        Asked(plural, "program.id:in", uids, _FIELDS.get(plural, ":owner")) for plural in OF_PROGRAM
    ]
    return [Asked("programs", "id:in", uids), *owned]


def with_actions_apart(objects: Objects) -> dict[str, dict[str, Fields]]:
    """Return objects whose rules name their actions, and the actions that came inside beside."""
    held = {plural: dict(by_uid) for plural, by_uid in objects.items()}
    inside = {
        action["id"]: action
        for rule in objects.get("programRules", {}).values()
        for action in rule.get("programRuleActions") or []
        if len(action) > 1
    }
    if inside:
        held["programRuleActions"] = held.get("programRuleActions", {}) | inside
    for uid, rule in held.get("programRules", {}).items():
        actions = rule.get("programRuleActions") or []
        held["programRules"][uid] = rule | {"programRuleActions": _ids(actions)}
    return held


def _ids(rows: Sequence[Fields]) -> list[Fields]:
    return [{"id": row["id"]} for row in rows]
