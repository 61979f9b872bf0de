"""The references: which other objects does an object of metadata refer to?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dhis2_api.client import Json
from dhis2_api.metadata import Fields
from tracker_sync.metadata.classes import Objects
from tracker_sync.metadata.expressions import BY_CODE, called, named_in, roles_in
from tracker_sync.metadata.portion import LEFT_OUT


#: The class a field refers to, for every field the closure of a program can hold.
REFERS_TO = {
    "attribute": "attributes",
    "attributeCombo": "categoryCombos",
    "categories": "categories",
    "categoryCombo": "categoryCombos",
    "categoryOptionCombos": "categoryOptionCombos",
    "categoryOptions": "categoryOptions",
    "commentOptionSet": "optionSets",
    "dataElement": "dataElements",
    "dataElements": "dataElements",
    "dataEntryForm": "dataEntryForms",
    "enrollmentCategoryCombo": "categoryCombos",
    "legendSet": "legendSets",
    "legendSets": "legendSets",
    "nextScheduleDate": "dataElements",
    "option": "options",
    "optionGroup": "optionGroups",
    "optionSet": "optionSets",
    "options": "options",
    "organisationUnits": "organisationUnits",
    "parent": "organisationUnits",
    "program": "programs",
    "programIndicator": "programIndicators",
    "programIndicators": "programIndicators",
    "programRule": "programRules",
    "programRuleActions": "programRuleActions",
    "programSections": "programSections",
    "programStage": "programStages",
    "programStageSection": "programStageSections",
    "programStageSections": "programStageSections",
    "programStages": "programStages",
    "trackedEntityAttribute": "trackedEntityAttributes",
    "trackedEntityAttributes": "trackedEntityAttributes",
    "trackedEntityType": "trackedEntityTypes",
}


@dataclass(frozen=True, slots=True)
class Reference:
    """One object that another refers to.

    Attributes:
        plural: The class of the object that refers.
        uid: Its UID.
        field: Its field, the innermost one.
        to: Class and UID of the object referred to; an expression may give a code instead.
        loose: Whether only an expression names it: a server takes the object without it, and
            evaluates it wrong.
    """

    plural: str
    uid: str
    field: str
    to: tuple[str, str]
    loose: bool = False


def roles_named(objects: Objects) -> Iterator[tuple[str, str, str, str]]:
    """Give class, UID, field and user role, by UID or code, where an expression asks for one."""
    for plural, by_uid in objects.items():
        for uid, fields in by_uid.items():
            yield from ((plural, uid, field, role) for field, role in roles_in(plural, fields))


def found_in(by_uid: Mapping[str, Fields], plural: str, name: str) -> Fields | None:
    """Return the object of a class that a reference names, by its UID or, if so meant, code."""
    if plural in BY_CODE:
        return called(by_uid, name)
    return by_uid.get(name)


def references(objects: Objects) -> Iterator[Reference]:
    """Give every reference that the objects hold, repeated ones too."""
    for plural, by_uid in objects.items():
        for uid, fields in by_uid.items():
            for field, target in _targets(fields):
                yield Reference(plural, uid, field, (REFERS_TO[field], target))
            for field, named, target in named_in(plural, fields):
                yield Reference(plural, uid, field, (named, target), loose=True)


def _targets(value: Json) -> Iterator[tuple[str, str]]:
    if isinstance(value, list):
        for item in value:
            yield from _targets(item)
    elif isinstance(value, dict):
        for field, inner in value.items():
            if field in LEFT_OUT:
                continue
            if field in REFERS_TO:
                yield from ((field, uid) for uid in _ids(inner))
            else:
                yield from _targets(inner)


def _ids(value: Json) -> Iterator[str]:
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict) and "id" in item:
            yield item["id"]
