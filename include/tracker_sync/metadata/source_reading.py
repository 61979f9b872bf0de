"""The source's reading: with which requests does a route's metadata come, and did all of it?"""

from __future__ import annotations

from collections.abc import Sequence

from dhis2_api.client import Dhis2Client
from dhis2_api.errors import RequestRefused
from dhis2_api.metadata_classes import Asked, read_many
from tracker_sync.findings import Finding
from tracker_sync.metadata.cut_answers import (
    Answers,
    names_of,
    require_named,
    require_walked,
    without_names,
)
from tracker_sync.metadata.default_objects import BY_NAME, has_defaults
from tracker_sync.metadata.org_units import read_ancestors, read_subtrees, subtree_of
from tracker_sync.metadata.program_reading import export_of, of_programs, with_actions_apart
from tracker_sync.metadata.source import Source, by_class
from tracker_sync.route import Route


_NOT_FOUND = 404


def read_source(client: Dhis2Client, route: Route, *, groups: bool = False) -> Source:
    """Read the programs of a route, its org units, and all they refer to.

    A program's own export lacks attributes that only its type uses, legend sets,
    relationship types, constants, the org units and their groups (metadata 1.1; measured: a
    program's own export may not be importable anywhere). Where the route's one root is at
    the top and nothing refers far, this takes a request a program and one more.

    Args:
        client: The source.
        route: Which programs and org units.
        groups: Whether the user groups that sharing names are wanted too, without members.

    Raises:
        UnexpectedAnswer: An answer was cut.
    """
    source = Source(groups=groups)
    refused = _read_exports(client, route, source)
    answers = read_many(client, _rest(route, source, refused))
    require_named(client.name, source.objects, answers)
    require_walked(client.name, source.objects, answers)
    _take(client, route, source, answers)
    if refused:
        source.take_apart(with_actions_apart(by_class(answers)))
        source.findings += _unread(client, source, refused)
    _read_on(client, source, names_of(refused))
    return source


def _read_on(client: Dhis2Client, source: Source, names: list[Asked]) -> None:
    """Read what is referred to, and with it the names of what came by class."""
    while asked := [*source.next_asked(), *names]:
        answers = read_many(client, asked)
        require_named(client.name, source.objects, answers)
        source.take(by_class(without_names(answers)))
        names = []


def _read_exports(client: Dhis2Client, route: Route, source: Source) -> list[str]:
    """Read the programs' exports, and return the programs that may not be exported."""
    for program in route.programs:
        try:
            export = export_of(client, program)
        except RequestRefused as refused:
            if refused.status != _NOT_FOUND:
                raise
            source.findings.append(_unreadable(client.name, program))
            continue
        if export is None:  # the account may export none of them
            source.findings.append(_read_by_class(client.name))
            return [uid for uid in route.programs if uid not in source.programs]
        source.programs[program] = export
        source.take(export)
    return []


def _rest(route: Route, source: Source, refused: Sequence[str]) -> list[Asked]:
    programs = source.objects.get("programs", {}).values()
    assigned = max((len(fields["organisationUnits"]) for fields in programs), default=0)
    return [
        Asked("relationshipTypes"),
        *(() if refused else subtree_of(route.org_units, assigned)),
        *names_of(source.programs),
        *of_programs(refused),
        *(() if has_defaults(source.objects) else BY_NAME),
        *source.next_asked(),
    ]


def _take(client: Dhis2Client, route: Route, source: Source, answers: Answers) -> None:
    objects = by_class(without_names(answers))
    source.take(with_actions_apart(objects))
    source.relationship_types = objects["relationshipTypes"]
    units = objects.get("organisationUnits")
    held = read_subtrees(client, route.org_units) if units is None else units.values()
    source.scope = read_ancestors(client, held, route.org_units)


def _unread(client: Dhis2Client, source: Source, refused: Sequence[str]) -> list[Finding]:
    return [_unreadable(client.name, uid) for uid in refused if uid not in source.programs]


def _unreadable(server: str, program: str) -> Finding:
    return Finding(
        "program_unreadable",
        blocking=True,
        text=f"{server}: program {program} does not exist or is not shown to the account",
        remedy="correct `programs` in the route, or give the account read access to the program",
    )


def _read_by_class(server: str) -> Finding:
    return Finding(
        "metadata_read_by_class",
        blocking=False,
        text=f"{server}: the account may not export a whole program, so its metadata was read "
        "class by class, without the objects that are not shared with it",
        remedy="give the account F_METADATA_EXPORT to have all of it in one answer",
    )
