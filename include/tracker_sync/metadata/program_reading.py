"""The program's reading: what is a program made of, and did all of it come?"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from dhis2_api.client import Dhis2Client
from dhis2_api.errors import RequestRefused, UnexpectedAnswer
from dhis2_api.metadata import Fields, read_program
from dhis2_api.metadata_classes import Asked
from tracker_sync.metadata.classes import OF_PROGRAM, Objects
from tracker_sync.metadata.references import references


#: Lists that every version shows, empty ones too (recordings: 022 to 025): an object that lacks
#: one was cut.
_ALWAYS: Mapping[str, tuple[str, ...]] = {
    "optionSets": ("options",),
    "programRules": ("programRuleActions",),
    "programStages": ("programStageDataElements",),
    "programs": ("organisationUnits", "programStages", "programTrackedEntityAttributes"),
    "trackedEntityTypes": ("trackedEntityTypeAttributes",),
}

#: Nobody may read rules without their actions, and no filter names the program of an action.
_FIELDS = {"programRules": ":owner,programRuleActions[:owner]"}

#: What an export holds besides the program, by class and field that names it (metadata 1.1).
_WALKED = frozenset(
    {
        ("dataElements", "optionSet"),
        ("optionSets", "options"),
        ("programRules", "programRuleActions"),
        ("programStages", "dataElement"),
        ("programStages", "programStageSections"),
        ("programs", "programSections"),
        ("programs", "programStages"),
        ("programs", "trackedEntityAttribute"),
        ("programs", "trackedEntityType"),
        ("trackedEntityAttributes", "optionSet"),
    }
)

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


def require_whole(server: str, classes: Mapping[str, Sequence[Fields]]) -> None:
    """Return if each object has what every version shows of it.

    Raises:
        UnexpectedAnswer: One has not, so the answer was cut.
    """
    for plural, rows in classes.items():
        always = ("id", *_ALWAYS.get(plural, ()))
        for row in rows:
            if missing := [name for name in always if not isinstance(row, dict) or name not in row]:
                raise UnexpectedAnswer(
                    f"{server}: one of the {plural} came without its {missing[0]}, so the answer "
                    "was cut; run again"
                )


def of_programs(programs: Collection[str]) -> list[Asked]:
    """Return how to ask for programs and all that names them."""
    uids = tuple(sorted(programs))
    if not uids:
        return []
    owned = [
        Asked(plural, "program.id:in", uids, _FIELDS.get(plural, ":owner")) for plural in OF_PROGRAM
    ]
    return [Asked("programs", "id:in", uids), *owned]


def names_of(programs: Collection[str]) -> list[Asked]:
    """Return how to ask for no more than the UIDs of what names these programs.

    A program does not name it all, so only these lists show whether an export that came was
    cut (metadata 1.2: a cut one is valid JSON).
    """
    uids = tuple(sorted(programs))
    return [Asked(plural, "program.id:in", uids, "id") for plural in OF_PROGRAM if uids]


def require_none_cut_off(
    server: str,
    exports: Objects,
    named: Mapping[str, Collection[str]],
    missing: Mapping[str, Collection[str]],
) -> None:
    """Return if the exports hold all that the server, asked by class, has of the programs.

    Args:
        server: What messages call it.
        exports: What came of them.
        named: The UIDs of the objects that name these programs, by class.
        missing: The UIDs of what the exports refer to and lack, and the server has.

    Raises:
        UnexpectedAnswer: An export was cut, or somebody changed the program between the two.
    """
    walked = {one.to for one in references(exports) if (one.plural, one.field) in _WALKED}
    lost = {(plural, uid) for plural, uids in missing.items() for uid in uids} & walked
    lost |= {
        (plural, uid)
        for plural, uids in named.items()
        for uid in uids
        if uid not in exports.get(plural, {})
    }
    for plural, uid in sorted(lost):
        raise UnexpectedAnswer(
            f"{server}: a program's export came without {plural} {uid}, which is there: it was "
            "cut, or the program was changed meanwhile; run again"
        )


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
