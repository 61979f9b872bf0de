"""The completeness: does a source have more than was read, of what nothing else refers to?

An answer of several classes that is cut off stays valid JSON (metadata 1.2). Whatever is referred
to and lacks is found out by that; relationship types, program rules, their variables, indicators
and org units below the roots are not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from dhis2_api.client import Dhis2Client
from dhis2_api.metadata import count_objects, read_class, read_pages
from tracker_sync.findings import Finding, some_of
from tracker_sync.metadata.closure import constraints_of, is_inside
from tracker_sync.metadata.model import Model
from tracker_sync.route import Route


def cut_off(source: Dhis2Client, route: Route, model: Model) -> list[Finding]:
    """Return a blocking finding for what the source has, lists or counts, and did not give.

    It takes a request for each class and one for each root, all of them apart from those that
    the model came by, so an unchanged model is not asked about by the synchronisation, but once
    a run by the readiness. What the account may not read is neither listed nor was it read.

    Args:
        source: The source.
        route: The route.
        model: What was read.
    """
    lost = {"relationshipTypes": _types_inside(source, route, model) - model.relationship_types}
    lost |= _of_programs(source, route, model)
    missing = {
        root: total - held
        for root in route.org_units
        if (total := count_objects(source, "organisationUnits", f"path:like:{root}"))
        > (held := _held_below(root, model))
    }
    return [*_of_classes(source.name, lost), *_of_units(source.name, missing)]


def _types_inside(source: Dhis2Client, route: Route, model: Model) -> set[str]:
    held: dict[str, Collection[str]] = {
        "program": route.programs,
        "programStage": model.stage_elements,
        "trackedEntityType": model.type_attributes,
    }
    return {
        fields["id"]
        for fields in read_pages(source, "relationshipTypes")
        if all(is_inside(end, held) for end in constraints_of(fields))
    }


def _of_programs(source: Dhis2Client, route: Route, model: Model) -> dict[str, set[str]]:
    # Of a program that can't be read the rules can: that finding is another's.
    programs = sorted(model.program_attributes.keys() & set(route.programs))
    if not programs:
        return {}
    of_them = f"program.id:in:[{','.join(programs)}]"
    return {
        plural: {fields["id"] for fields in read_class(source, plural, of_them, "id")} - held
        for plural, held in model.unnamed.items()
    }


def _held_below(root: str, model: Model) -> int:
    return sum(root in unit.path.split("/") for unit in model.org_units.values())


def _of_classes(server: str, lost: Mapping[str, Collection[str]]) -> Iterator[Finding]:
    for plural, uids in lost.items():
        if uids:
            yield _cut(f"{server}: {plural} {some_of(sorted(uids))}")


def _of_units(server: str, missing: Mapping[str, int]) -> Iterator[Finding]:
    for root, count in missing.items():
        yield _cut(f"{server}: {count} of the org units below {root}")


def _cut(what: str) -> Finding:
    return Finding(
        "source_answer_cut",
        blocking=True,
        text=f"{what} did not come with the metadata, though the source has them: the answer was "
        "cut off, or they were made just now",
        remedy="clear the task `sync_metadata` with all after it; if it says the same again, see "
        "the source's log",
    )
