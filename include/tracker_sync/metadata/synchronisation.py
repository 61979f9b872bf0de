"""The synchronisation: does the destination have the metadata that the data needs?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from dhis2_api.client import Dhis2Client
from dhis2_api.dialects import Dialect
from dhis2_api.metadata import DEFAULT_CLASSES, read_default_objects, read_objects
from tracker_sync.findings import Finding
from tracker_sync.lease import unguarded
from tracker_sync.metadata.application import Writable, apply
from tracker_sync.metadata.classes import Objects
from tracker_sync.metadata.closure import Closure, read_closure
from tracker_sync.metadata.difference import Counts, Difference, difference
from tracker_sync.metadata.judgement import differing, remaining, unsupported
from tracker_sync.metadata.mapped import mapping_findings, translated
from tracker_sync.metadata.model import Model, model_of
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
    defaults = _default_objects(source, destination)
    needed = _needed(source, route, defaults)
    theirs = _read_theirs(destination, needed, route)
    found = difference(needed.sent.objects, theirs)
    findings = _before(needed, found, route, theirs)
    sent = 0
    if route.metadata == "apply" and not any(finding.blocking for finding in findings):
        there = Writable(destination, before_write)
        sent = apply(there, found.changes, needed.sent.objects, theirs)
    if sent:
        theirs = _read_theirs(destination, needed, route)
        findings += remaining(difference(needed.sent.objects, theirs).changes)
    model = _model(needed, theirs, destination.dialect)
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
    """What the data needs.

    Attributes:
        closure: All of it, in the source's names.
        sent: What of it is the route's to bring over, referring to the destination's names.
        defaults: Class -> the default object's UIDs, the source's and the destination's.
    """

    closure: Closure
    sent: Closure
    defaults: Mapping[str, tuple[str, str]]

    @property
    def findings(self) -> list[Finding]:
        return [*self.closure.left_out, *self.sent.unresolved]


def _needed(source: Dhis2Client, route: Route, defaults: Mapping[str, tuple[str, str]]) -> _Needed:
    known, mapped = dict(defaults.values()), route.mapping.uids()
    closure = read_closure(source, route, known)
    sent = read_closure(source, route, {**known, **mapped}) if mapped else closure
    return _Needed(closure, sent, defaults)


def _default_objects(source: Dhis2Client, destination: Dhis2Client) -> dict[str, tuple[str, str]]:
    ours, theirs = read_default_objects(source), read_default_objects(destination)
    return {plural: (ours[plural], theirs[plural]) for plural in DEFAULT_CLASSES}


def _model(needed: _Needed, theirs: Objects, dialect: Dialect) -> Model:
    default, their_default = needed.defaults["categoryOptionCombos"]
    return replace(
        model_of(needed.closure.objects, theirs),
        option_combos={default: their_default},
        enrolled_options=dialect.enrolled_options,
    )


def _read_theirs(destination: Dhis2Client, needed: _Needed, route: Route) -> Objects:
    named = translated(needed.closure.objects, route.mapping)
    return {
        plural: {fields["id"]: fields for fields in read_objects(destination, plural, uids)}
        for plural, uids in named.items()
    }


def _before(needed: _Needed, found: Difference, route: Route, theirs: Objects) -> list[Finding]:
    defaults = frozenset(theirs_ for _, theirs_ in needed.defaults.values())
    findings = unsupported(needed.sent.objects, defaults)
    findings += mapping_findings(route.mapping, needed.closure.objects, needed.sent.objects, theirs)
    if route.metadata != "ignore":
        findings += needed.findings
    if route.metadata == "check":
        findings += differing(found.changes)
    return findings
