"""The versions: which fields of an object does a version of DHIS2 not know?"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from dhis2_api.metadata import Fields
from tracker_sync.metadata.classes import Objects


_FIRST, _LAST, _NEVER = "2.40", "2.43", "9"

_LABELS = (
    "enrollmentLabel",
    "eventLabel",
    "followUpLabel",
    "noteLabel",
    "orgUnitLabel",
    "programStageLabel",
    "relationshipLabel",
    "trackedEntityAttributeLabel",
)
_PLURAL_LABELS = ("enrollmentsLabel", "eventsLabel", "programStagesLabel")


def _since(version: str, *names: str) -> dict[str, tuple[str, str]]:
    return dict.fromkeys(names, (version, _LAST))


#: Class, or list of rows -> field -> the first and the last version that know it
#: (metadata 2.8; recordings: 022-program-metadata-HIV). What is not named, all of them know.
SPANS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "programIndicators": _since(
        "2.42",
        "aggregateExportDataElement",
        "attributeCombo",
        "categoryCombo",
        "categoryMappingIds",
    ),
    "programRuleActions": _since("2.43", "legendSet", "priority"),
    "programStages": {**_since("2.41", *_LABELS), **_since("2.43", *_PLURAL_LABELS)},
    "programTrackedEntityAttributes": {"skipIndividualAnalytics": ("2.42", "2.42")},
    "programs": {
        **_since("2.41", *_LABELS),
        **_since("2.42", "categoryMappings"),
        **_since("2.43", "enableChangeLog", "enrollmentCategoryCombo", *_PLURAL_LABELS),
    },
    "trackedEntityAttributes": _since(
        "2.43",
        "blockedSearchOperators",
        "minCharactersToSearch",
        "preferredSearchOperator",
        "skipAnalytics",
        "trigramIndexable",
    ),
    "trackedEntityTypes": {
        **_since("2.42", "shortName"),
        **_since("2.43", "enableChangeLog", "trackedEntityTypesLabel"),
    },
}

#: Class, field and value -> the first and the last version that know it. An unknown one has
#: the whole payload refused, with no object named (metadata 2.6, 2.8).
VALUES = {
    ("dataElements", "valueType", "TRACKER_ASSOCIATE"): (_FIRST, "2.42"),
    ("programRuleActions", "programRuleActionType", "SCHEDULEEVENT"): ("2.43", _LAST),
    ("trackedEntityAttributes", "valueType", "TRACKER_ASSOCIATE"): (_FIRST, "2.42"),
}

#: Classes without whose `shortName` an object is refused, each from a version on (metadata 2.8;
#: measured: E4000 on a tracked entity type). Older servers, and old objects of newer ones, have
#: none.
_SHORT_NAMED = {
    "categoryOptions": _FIRST,
    "constants": _FIRST,
    "organisationUnitGroups": _FIRST,
    "trackedEntityTypes": "2.42",
}
_SHORT_NAME = 50


@dataclass(frozen=True, slots=True)
class SetAside:
    """A field with content that the destination's version does not know: it is lost there.

    Attributes:
        plural: The class.
        field: The field; after a dot, one of the rows in it.
        uids: The objects that have content in it.
    """

    plural: str
    field: str
    uids: tuple[str, ...]


@cache
def unknown_to(version: str) -> Mapping[str, frozenset[str]]:
    """Return the fields that a minor version does not know, by class or list of rows."""
    found = {
        holder: frozenset(name for name, span in spans.items() if not _is_in(version, span))
        for holder, spans in SPANS.items()
    }
    return {holder: names for holder, names in found.items() if names}


def known_part(plural: str, fields: Fields, unknown: Mapping[str, Collection[str]]) -> Fields:
    """Return an object without the fields that are unknown."""
    without = unknown.get(plural, ())
    return {
        name: _known_rows(value, unknown[name]) if name in unknown else value
        for name, value in fields.items()
        if name not in without
    }


def unknown_values(objects: Objects, version: str) -> Iterator[tuple[str, str, str]]:
    """Give class, UID and field of each object with a value that a version does not know."""
    for (plural, name, value), span in VALUES.items():
        if not _is_in(version, span):
            for uid, fields in objects.get(plural, {}).items():
                if fields.get(name) == value:
                    yield plural, uid, name


def filled(plural: str, fields: Fields, version: str, short_there: str | None = None) -> Fields:
    """Return an object with the short name that a version demands and it does not have.

    It is cut from the name. No two may be equal, so one that has to be cut ends in the UID.

    Args:
        plural: Its class.
        fields: The object.
        version: The destination's minor version.
        short_there: What the destination calls it already.
    """
    if version < _SHORT_NAMED.get(plural, _NEVER) or fields.get("shortName"):
        return fields
    name, uid = str(fields.get("name", "")), str(fields["id"])
    short = name if len(name) <= _SHORT_NAME else f"{name[: _SHORT_NAME - 1 - len(uid)]} {uid}"
    return fields | {"shortName": short_there or short}


def set_aside(
    objects: Mapping[str, Iterable[Fields]], unknown: Mapping[str, Collection[str]]
) -> tuple[SetAside, ...]:
    """Return which content of canonical objects is lost where those fields are unknown."""
    found: dict[tuple[str, str], list[str]] = {}
    for plural, of_class in objects.items():
        for fields in of_class:
            for name in _lost(plural, fields, unknown):
                found.setdefault((plural, name), []).append(fields["id"])
    return tuple(SetAside(*key, tuple(uids)) for key, uids in sorted(found.items()))


def _lost(plural: str, fields: Fields, unknown: Mapping[str, Collection[str]]) -> Iterator[str]:
    yield from (name for name in unknown.get(plural, ()) if name in fields)
    for rows in unknown.keys() & fields.keys():
        held = {name for row in fields[rows] for name in row}
        yield from (f"{rows}.{name}" for name in unknown[rows] if name in held)


def _known_rows(rows: list[Fields], without: Collection[str]) -> list[Fields]:
    return [{name: value for name, value in row.items() if name not in without} for row in rows]


def _is_in(version: str, span: tuple[str, str]) -> bool:
    first, last = span
    return first <= version <= last
