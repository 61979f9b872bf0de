"""The source: what was read of its metadata, and what is still wanted?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from dhis2_api.metadata import Fields
from dhis2_api.metadata_classes import KNOWN, Asked
from tracker_sync.findings import Finding
from tracker_sync.metadata.classes import Objects
from tracker_sync.metadata.expressions import BY_CODE, may_be_uid
from tracker_sync.metadata.org_units import Scope
from tracker_sync.metadata.portion import CLASSES_LEFT_OUT
from tracker_sync.metadata.references import found_in, references


#: What is never fetched because something refers to it: the scope is read whole, and an
#: assignment outside it is not ours.
_NOT_FOLLOWED = frozenset({"organisationUnits", "userGroups"})

#: Who is in a group is nobody's business here.
_FIELDS = {"userGroups": "id,code,name"}

_ELSEWHERE = frozenset({*CLASSES_LEFT_OUT, "organisationUnits", "relationshipTypes"})


@dataclass(slots=True)
class Source:
    """What was read of the source.

    Attributes:
        programs: Program -> what it is made of, by class and UID.
        objects: All of that and what it refers to, by class and UID, the default category
            objects among it.
        scope: The org units of the route.
        relationship_types: All there are.
        findings: What could not be read as it should.
        asked: Class and UID of what was asked for because something refers to it.
        groups: Whether the user groups that sharing names are wanted.
    """

    programs: dict[str, Objects] = field(default_factory=dict)
    objects: dict[str, dict[str, Fields]] = field(default_factory=lambda: defaultdict(dict))
    scope: Scope = field(default_factory=lambda: Scope(frozenset(), {}))
    relationship_types: Mapping[str, Fields] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    asked: set[tuple[str, str]] = field(default_factory=set)
    groups: bool = False
    _asked_by_code: set[tuple[str, str]] = field(default_factory=set)

    def take(self, objects: Objects) -> None:
        """Add objects by class and UID."""
        elsewhere = _ELSEWHERE - ({"userGroups"} if self.groups else set())
        for plural in objects.keys() - elsewhere:
            self.objects[plural].update(objects[plural])

    def take_apart(self, objects: Objects) -> None:
        """Add programs that came by class, each with the objects that name it."""
        for uid, program in objects.get("programs", {}).items():
            self.programs[uid] = {
                plural: {key: row for key, row in by_uid.items() if _program_of(row) == uid}
                for plural, by_uid in objects.items()
            } | {"programs": {uid: program}}

    def next_asked(self) -> list[Asked]:
        """Return how to ask for what is referred to, not here, and was not asked for yet."""
        # A relationship type names other programs, and what is inside the route is here anyway.
        wanted = {one.to for one in references(self.objects)}
        missing = {
            (plural, uid)
            for plural, uid in wanted
            if plural in KNOWN - _NOT_FOLLOWED
            and not found_in(self.objects.get(plural, {}), plural, uid)
        }
        if self.groups:
            sharing = {**self.objects, "relationshipTypes": self.relationship_types}
            missing |= {("userGroups", uid) for uid in groups_named(sharing)}
        by_uid = {one for one in missing if may_be_uid(one[1])} - self.asked
        by_code = {one for one in missing - by_uid if _may_be_code(*one)} - self._asked_by_code
        self.asked |= by_uid
        self._asked_by_code |= by_code
        return [*asked_by_uid(by_uid), *_asked_by_code(by_code)]


def asked_by_uid(wanted: Iterable[tuple[str, str]]) -> list[Asked]:
    """Return how to ask for objects by class and UID."""
    by_class: dict[str, list[str]] = defaultdict(list)
    for plural, uid in sorted(wanted):
        by_class[plural].append(uid)
    return [
        Asked(plural, "id:in", tuple(uids), _FIELDS.get(plural, ":owner"))
        for plural, uids in by_class.items()
    ]


def _asked_by_code(wanted: Iterable[tuple[str, str]]) -> list[Asked]:
    return [
        Asked(plural, "code:in", tuple(code for of, code in sorted(wanted) if of == plural))
        for plural in sorted({plural for plural, _ in wanted})
    ]


def _may_be_code(plural: str, name: str) -> bool:
    # A comma or a bracket would end the list that a filter is.
    return plural in BY_CODE and not {",", "[", "]"} & set(name)


def groups_named(objects: Objects) -> frozenset[str]:
    """Return the UIDs of the user groups that the sharing of objects names."""
    return frozenset(
        uid
        for by_uid in objects.values()
        for fields in by_uid.values()
        for uid in (fields.get("sharing") or {}).get("userGroups") or {}
    )


def by_class(answers: Mapping[Asked, Mapping[str, Fields]]) -> dict[str, dict[str, Fields]]:
    """Return answers put together, by class and UID."""
    found: dict[str, dict[str, Fields]] = defaultdict(dict)
    for asked, objects in answers.items():
        found[asked.plural].update(objects)
    return found


def _program_of(fields: Fields) -> str | None:
    uid: str | None = (fields.get("program") or {}).get("id")
    return uid
