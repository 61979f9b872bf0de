"""The modelling: what of the metadata of both servers does the moving of data have to know?"""

from __future__ import annotations

from collections.abc import Iterable

from dhis2_api.metadata import Fields
from tracker_sync.metadata.canonical import canonical, content_hash
from tracker_sync.metadata.classes import UNNAMED, Objects
from tracker_sync.metadata.model import Model, OrgUnit, Uids


_FILES = ("FILE_RESOURCE", "IMAGE")


def model_of(ours: Objects, theirs: Objects) -> Model:
    """Return the model of a closure (*ours*) and what the destination has of it (*theirs*)."""
    programs, units = ours.get("programs", {}), ours.get("organisationUnits", {})
    attributes = ours.get("trackedEntityAttributes", {})
    hidden = frozenset(uid for uid, fields in attributes.items() if fields.get("confidential"))
    value_types = {uid: of["valueType"] for uid, of in _valued(ours) if of.get("valueType")}
    return Model(
        hash=content_hash([_canonical(ours), _canonical(theirs)]),
        tracked_entity_types={
            uid: fields["trackedEntityType"]["id"]
            for uid, fields in programs.items()
            if fields.get("trackedEntityType")
        },
        event_programs={
            uid: fields["name"]
            for uid, fields in programs.items()
            if fields.get("programType") == "WITHOUT_REGISTRATION"
        },
        related=frozenset(_related(ours)),
        type_attributes=_shown(ours, "trackedEntityTypes", "trackedEntityTypeAttributes", hidden),
        program_attributes=_shown(ours, "programs", "programTrackedEntityAttributes", hidden),
        stage_elements=_members(ours, "programStages", "programStageDataElements", "dataElement"),
        confidential=hidden,
        org_units={uid: OrgUnit(unit["name"], unit["path"]) for uid, unit in units.items()},
        files={uid: of for uid, of in value_types.items() if of in _FILES},
        value_types=value_types,
        option_sets={
            uid: of["optionSet"]["id"] for uid, of in _valued(ours) if of.get("optionSet")
        },
        unique={**_unique(ours), **_unique(theirs)},
        no_assignee=frozenset(_without_assignee(ours, theirs)),
        relationship_types=frozenset(ours.get("relationshipTypes", {})),
        unnamed={plural: frozenset(ours.get(plural, {})) for plural in UNNAMED},
    )


def _without_assignee(ours: Objects, theirs: Objects) -> Iterable[str]:
    held = theirs.get("programStages", {})
    for uid, stage in ours.get("programStages", {}).items():
        if held.get(uid, stage).get("enableUserAssignment") is False:
            yield uid


def _valued(objects: Objects) -> Iterable[tuple[str, Fields]]:
    for plural in ("trackedEntityAttributes", "dataElements"):
        yield from objects.get(plural, {}).items()


def _unique(objects: Objects) -> dict[str, bool]:
    return {
        uid: bool(fields.get("orgunitScope"))
        for uid, fields in objects.get("trackedEntityAttributes", {}).items()
        if fields.get("unique")
    }


def _related(objects: Objects) -> Iterable[str]:
    for fields in objects.get("relationshipTypes", {}).values():
        for side in ("fromConstraint", "toConstraint"):
            end = fields.get(side) or {}
            named = (end.get(name) for name in ("program", "programStage", "trackedEntityType"))
            yield from (reference["id"] for reference in named if reference)


def _canonical(objects: Objects) -> dict[str, dict[str, Fields]]:
    return {
        plural: {uid: canonical(plural, fields) for uid, fields in by_uid.items()}
        for plural, by_uid in objects.items()
        if by_uid
    }


def _members(objects: Objects, plural: str, rows: str, joined: str) -> dict[str, Uids]:
    return {
        uid: frozenset(row[joined]["id"] for row in fields.get(rows) or [])
        for uid, fields in objects.get(plural, {}).items()
    }


def _shown(objects: Objects, plural: str, rows: str, hidden: Uids) -> dict[str, Uids]:
    members = _members(objects, plural, rows, "trackedEntityAttribute")
    return {uid: attributes - hidden for uid, attributes in members.items()}
