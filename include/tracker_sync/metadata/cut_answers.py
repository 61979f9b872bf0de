"""The cut answers: did all that a server has of the programs come?

A server answers 200 before it has written all, and closes what it had begun when it fails, so a
cut answer is valid JSON (metadata 1.2). Another answer, of the names alone, tells.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from dhis2_api.errors import UnexpectedAnswer
from dhis2_api.metadata import Fields
from dhis2_api.metadata_classes import Asked
from tracker_sync.findings import some_of
from tracker_sync.metadata.classes import OF_PROGRAM, Objects
from tracker_sync.metadata.references import references


Answers = Mapping[Asked, Mapping[str, Fields]]

#: Lists that every version shows, empty ones too (recordings: 022 to 025): an object that lacks
#: one was cut.
_ALWAYS: Mapping[str, tuple[str, ...]] = {
    "optionSets": ("options",),
    "programRules": ("programRuleActions",),
    "programStages": ("programStageDataElements",),
    "programs": ("organisationUnits", "programStages", "programTrackedEntityAttributes"),
    "trackedEntityTypes": ("trackedEntityTypeAttributes",),
}

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

#: What is asked for as a name; an action of a rule is named by its rule alone.
_NAMES = {"programRules": "id,programRuleActions[id]"}


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


def names_of(programs: Collection[str]) -> list[Asked]:
    """Return how to ask for no more than the UIDs of what names these programs.

    A program does not name it all, so only these lists show whether an answer that came was
    cut. They go into another request than the objects themselves.
    """
    uids = tuple(sorted(programs))
    return [
        Asked(plural, "program.id:in", uids, _NAMES.get(plural, "id"))
        for plural in OF_PROGRAM
        if uids
    ]


def without_names(answers: Answers) -> Answers:
    """Return answers without those that hold names alone."""
    return {asked: found for asked, found in answers.items() if not _of_names(asked)}


def require_named(server: str, held: Objects, answers: Answers) -> None:
    """Return if all is held that the server has of the programs, asked for names alone.

    Args:
        server: What messages call it.
        held: What came of them.
        answers: Those among them that hold names.

    Raises:
        UnexpectedAnswer: An answer was cut, or somebody changed the program between the two.
    """
    named = {
        one for asked, found in answers.items() if _of_names(asked) for one in _named(asked, found)
    }
    _refuse(server, {(of, uid) for of, uid in named if uid not in held.get(of, {})})


def require_walked(server: str, exports: Objects, answers: Answers) -> None:
    """Return if nothing came by class that the programs' own exports should have held.

    Raises:
        UnexpectedAnswer: An export was cut, or somebody changed the program meanwhile.
    """
    walked = {one.to for one in references(exports) if (one.plural, one.field) in _WALKED}
    came = {
        (asked.plural, uid)
        for asked, found in answers.items()
        if asked.test == "id:in"
        for uid in found
    }
    _refuse(server, came & walked)


def _of_names(asked: Asked) -> bool:
    return asked.test == "program.id:in" and not asked.fields.startswith(":owner")


def _named(asked: Asked, found: Mapping[str, Fields]) -> Iterator[tuple[str, str]]:
    for uid, fields in found.items():
        yield asked.plural, uid
        for action in fields.get("programRuleActions") or []:
            yield "programRuleActions", action["id"]


def _refuse(server: str, lost: Collection[tuple[str, str]]) -> None:
    if lost:
        named = some_of([f"{plural} {uid}" for plural, uid in sorted(lost)])
        raise UnexpectedAnswer(
            f"{server}: the metadata came without {named}, though the source has them: an answer "
            "was cut, or the program was changed meanwhile; run again"
        )
