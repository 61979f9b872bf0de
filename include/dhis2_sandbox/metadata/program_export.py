"""What does /api/programs/{uid}/metadata hand out?

The program with what it is made of, whatever the account may read, and with the gaps of the real
export (metadata 1.1; recordings: 022 to 025): no org units, no attribute that only the tracked
entity type uses, no legend sets, user groups, relationship types or related programs.
"""

from collections.abc import Iterator, Mapping

from dhis2_sandbox.metadata.classes import CLASSES
from dhis2_sandbox.metadata.references import uids_at
from dhis2_sandbox.metadata.store import Members, Metadata


#: Per class: the references that are followed from its objects.
_FOLLOWED: Mapping[str, tuple[str, ...]] = {
    "programs": (
        "categoryCombo",
        "dataEntryForm",
        "trackedEntityType",
        "programSections",
        "notificationTemplates",
        "programStages",
        "programTrackedEntityAttributes.trackedEntityAttribute",
    ),
    "programSections": ("trackedEntityAttributes",),
    "programStages": (
        "notificationTemplates",
        "programStageDataElements.dataElement",
        "programStageSections",
        "dataEntryForm",
    ),
    "programStageSections": ("programIndicators",),
    "dataElements": ("categoryCombo", "optionSet", "commentOptionSet"),
    "trackedEntityAttributes": ("optionSet",),
    "optionSets": ("options",),
    "optionGroups": ("optionSet", "options"),
    "categoryCombos": ("categories",),
    "categories": ("categoryOptions",),
    "programRules": ("programRuleActions",),
    "programRuleActions": (
        "dataElement",
        "trackedEntityAttribute",
        "programIndicator",
        "programStageSection",
        "programStage",
        "optionGroup",
    ),
    "programRuleVariables": ("trackedEntityAttribute", "dataElement", "programStage"),
    "programNotificationTemplates": ("recipientProgramAttribute", "recipientDataElement"),
}
#: Per class: the classes whose objects name it and are taken along, by that member.
_TAKEN_ALONG: Mapping[str, tuple[tuple[str, str], ...]] = {
    "programs": (
        ("programIndicators", "program"),
        ("programRules", "program"),
        ("programRuleVariables", "program"),
    ),
    "categoryCombos": (("categoryOptionCombos", "categoryCombo"),),
}


def program_closure(metadata: Metadata, program: Members) -> dict[str, list[Members]]:
    """Return the objects of a program's export, by class; classes without objects are left out."""
    found: dict[str, dict[str, Members]] = {}
    waiting = [("programs", program)]
    while waiting:
        plural, item = waiting.pop()
        known = found.setdefault(plural, {})
        if item["id"] not in known:
            known[item["id"]] = item
            waiting.extend(_next(metadata, plural, item))
    return {plural: list(objects.values()) for plural, objects in found.items()}


def _next(metadata: Metadata, plural: str, item: Members) -> Iterator[tuple[str, Members]]:
    """Yield the objects that an object takes along, with their classes."""
    references = [(path, CLASSES[plural].references[path]) for path in _FOLLOWED.get(plural, ())]
    for path, target in [*references, ("attributeValues.attribute", "attributes")]:
        for uid in uids_at(item, path.split(".")):
            other = metadata.get(target, uid)
            if other is not None:
                yield target, other
    for target, member in _TAKEN_ALONG.get(plural, ()):
        for other in metadata.all(target):
            if (other.get(member) or {}).get("id") == item["id"]:
                yield target, other
