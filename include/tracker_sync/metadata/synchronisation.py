"""The synchronisation: does the destination have the metadata that the data needs?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from dhis2_api.client import Dhis2Client
from dhis2_api.dialects import Dialect
from tracker_sync.findings import Finding
from tracker_sync.lease import unguarded
from tracker_sync.metadata.application import Writable, apply
from tracker_sync.metadata.closure import Closure, closure_of
from tracker_sync.metadata.data_there import DataThere
from tracker_sync.metadata.default_objects import default_objects
from tracker_sync.metadata.difference import (
    Counts,
    Difference,
    difference,
    without_taken,
)
from tracker_sync.metadata.holding import Holding, read_holding, read_names
from tracker_sync.metadata.judgement import (
    clashing,
    differing,
    hidden,
    losing,
    remaining,
    unfit,
    unsupported,
)
from tracker_sync.metadata.mapped import mapping_findings, translated
from tracker_sync.metadata.model import Model, model_of
from tracker_sync.metadata.sides import Sides
from tracker_sync.metadata.source_reading import read_source
from tracker_sync.route import Route


@dataclass(frozen=True, slots=True)
class MetadataResult:
    """What became of the metadata of a route.

    Attributes:
        model: What the data needs to know.
        counts: Objects new, changed and the same before anything was sent, by class.
        sent: How many objects were sent.
        findings: What a person should know, or must mend first.
    """

    model: Model
    counts: Mapping[str, Counts]
    sent: int
    findings: tuple[Finding, ...]


def synchronise(
    source: Dhis2Client,
    destination: Dhis2Client,
    route: Route,
    before_write: Callable[[], None] = unguarded,
) -> MetadataResult:
    """Compare the metadata of a route on both servers, and write it if the route says so.

    `apply` writes what differs, `check` makes every difference a blocking finding,
    `ignore` neither. With a blocking finding before it, nothing is written at all.
    A second run without a change in between posts nothing.

    Args:
        source: The server that is read.
        destination: The server that is written to.
        route: The route.
        before_write: Called before each write request; raises if this run may not write any
            more.

    Raises:
        PermanentError: The destination refuses an object, each named; or an account
            lacks a right.
    """
    needed = _needed(source, destination, route)
    found = _difference(destination, needed)
    findings = _before(needed, found, route)
    sent = 0
    if route.metadata == "apply" and not any(finding.blocking for finding in findings):
        there = Writable(destination, before_write)
        sent = apply(there, found.changes, needed.sent.objects, needed.holding.objects)
    if sent:
        needed = replace(needed, holding=_read_holding(destination, needed.closure, route))
        findings += remaining(_compared(needed).changes)
    model = _model(needed, destination.dialect)
    return MetadataResult(model, found.counts, sent, tuple(findings))


def describe(result: MetadataResult) -> list[str]:
    """Return lines for a task's log."""
    counts = [
        f"{plural}: {count.new} new, {count.changed} changed, {count.same} the same"
        for plural, count in sorted(result.counts.items())
    ]
    findings = [str(finding) for finding in result.findings]
    return [*counts, f"{result.sent} objects sent, model {result.model.hash[:12]}", *findings]


@dataclass(frozen=True, slots=True)
class _Needed:
    """What the data needs, and what there is of it.

    Attributes:
        closure: All of it, in the source's names.
        sent: What of it is the route's to bring over, referring to the destination's names.
        holding: What the destination has.
        default: The source's default option combination.
        findings: What could not be read.
        sides: The two servers.
    """

    closure: Closure
    sent: Closure
    holding: Holding
    default: str
    findings: tuple[Finding, ...]
    sides: Sides


def _needed(source: Dhis2Client, destination: Dhis2Client, route: Route) -> _Needed:
    read = read_source(source, route)
    defaults = default_objects(read.objects, source.name)
    # What the default objects are called there changes no object's name, so the closure says
    # what to ask for, and that answer says what they are called.
    closure = closure_of(read, route, {uid: uid for uid in defaults.values()})
    holding = _read_holding(destination, closure, route)
    known = {uid: holding.defaults[plural] for plural, uid in defaults.items()}
    closure = closure_of(read, route, known)
    mapped = route.mapping.uids()
    sent = closure_of(read, route, {**known, **mapped}) if mapped else closure
    sides = Sides(
        source.dialect.version,
        destination.dialect.version,
        frozenset(holding.defaults.values()),
        mapped=frozenset(mapped.values()),
        reached=frozenset(mapped.get(uid, uid) for uid in read.scope.reached),
        holds_data=DataThere(destination).holds,
    )
    default = defaults["categoryOptionCombos"]
    return _Needed(closure, sent, holding, default, tuple(read.findings), sides)


def _read_holding(destination: Dhis2Client, closure: Closure, route: Route) -> Holding:
    named = translated(closure.objects, route.mapping)
    roots = [route.mapping.there("org_units", uid) for uid in route.org_units]
    return read_holding(destination, named, roots)


def _compared(needed: _Needed) -> Difference:
    return difference(needed.sent.objects, needed.holding.objects, needed.sides)


def _difference(destination: Dhis2Client, needed: _Needed) -> Difference:
    found = _compared(needed)
    names = read_names(destination, found)
    return without_taken(found, needed.sent.objects, names, needed.sides)


def _model(needed: _Needed, dialect: Dialect) -> Model:
    return replace(
        model_of(needed.closure.objects, needed.holding.objects),
        option_combos={needed.default: needed.holding.defaults["categoryOptionCombos"]},
        enrolled_options=dialect.enrolled_options,
    )


def _before(needed: _Needed, found: Difference, route: Route) -> list[Finding]:
    theirs, sent = needed.holding.objects, needed.sent
    findings = [*needed.findings, *unsupported(sent.objects, needed.sides.defaults)]
    findings += mapping_findings(route.mapping, needed.closure.objects, sent.objects, theirs)
    if route.metadata != "ignore":
        findings += [*needed.closure.left_out, *sent.unresolved]
        findings += [*clashing(found.clashes), *losing(found.set_aside)]
        findings += [*hidden(found.changes, theirs), *unfit(sent.objects, needed.sides.destination)]
    if route.metadata == "check":
        findings += differing(found.changes)
    return findings
