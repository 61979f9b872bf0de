"""What stands against deleting an object?

What other objects are built on, and what data was stored with, stays (metadata 2.7: E4030). Lists
let go of what is deleted: a program of its org units and attributes, a group of its members.
"""

from collections.abc import Iterator, Mapping

from dhis2_sandbox.metadata.classes import CLASSES
from dhis2_sandbox.metadata.problems import MetadataProblem
from dhis2_sandbox.metadata.question import Question
from dhis2_sandbox.metadata.store import Members


#: Per class: who names its objects so that they cannot go, as class and member.
_HELD_BY: Mapping[str, tuple[tuple[str, str], ...]] = {
    "optionSets": (
        ("dataElements", "optionSet"),
        ("dataElements", "commentOptionSet"),
        ("trackedEntityAttributes", "optionSet"),
    ),
    "options": (("programRuleActions", "option"),),
    "optionGroups": (("programRuleActions", "optionGroup"),),
    "dataElements": (
        ("programRuleActions", "dataElement"),
        ("programRuleVariables", "dataElement"),
    ),
    "trackedEntityAttributes": (
        ("programRuleActions", "trackedEntityAttribute"),
        ("programRuleVariables", "trackedEntityAttribute"),
    ),
    "trackedEntityTypes": (("programs", "trackedEntityType"),),
    "programStages": (
        ("programRuleActions", "programStage"),
        ("programRuleVariables", "programStage"),
    ),
    "programStageSections": (("programRuleActions", "programStageSection"),),
    "programIndicators": (("programRuleActions", "programIndicator"),),
    "organisationUnits": (("organisationUnits", "parent"),),
    "categoryCombos": (
        ("dataElements", "categoryCombo"),
        ("programs", "categoryCombo"),
        ("categoryOptionCombos", "categoryCombo"),
    ),
}


def deletion_problems(question: Question) -> Iterator[MetadataProblem]:
    """Yield the first class of objects that the object is associated with."""
    holder = held_by(question)
    if holder is not None:
        yield MetadataProblem("E4030", (holder,))


def held_by(question: Question) -> str | None:
    """Return the short name of the class that holds the object, if one does."""
    for plural, member in _HELD_BY.get(question.plural, ()):
        for other in question.metadata.all(plural):
            if _names(other, member, question.uid) and not _goes_too(question, plural, other):
                return CLASSES[plural].name
    return question.data.of(question.plural, question.uid)


def _names(item: Members, member: str, uid: str) -> bool:
    return (item.get(member) or {}).get("id") == uid


def _goes_too(question: Question, plural: str, other: Members) -> bool:
    """Tell whether an earlier class of the payload takes the holder away first (metadata 3)."""
    order = list(CLASSES)
    earlier = order.index(plural) < order.index(question.plural)
    return earlier and any(
        item["id"] == other["id"] for item in question.payload.objects.get(plural, ())
    )
