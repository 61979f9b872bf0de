"""The synchronisation: does the destination have the metadata that the data needs?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from dhis2_api.client import Dhis2Client
from tracker_sync.findings import Finding
from tracker_sync.leases.lease import unguarded
from tracker_sync.metadata.application import NotAppliedError, Writable, apply
from tracker_sync.metadata.closure_findings import roles_unknown
from tracker_sync.metadata.completeness import cut_off
from tracker_sync.metadata.dangers import dangers
from tracker_sync.metadata.difference import Difference
from tracker_sync.metadata.judgement import (
    clashing,
    differing,
    hidden,
    losing,
    remaining,
    unfit,
    unsupported,
)
from tracker_sync.metadata.mapped import mapping_findings
from tracker_sync.metadata.moved_units import unit_findings, without_kept
from tracker_sync.metadata.needed import Needed, read_again, read_needed, with_names
from tracker_sync.metadata.removal import remove, still_needed, taken_away, unlink, unseen
from tracker_sync.metadata.renaming import free_names, swapped_codes
from tracker_sync.metadata.steps import steps_of
from tracker_sync.metadata.telling import MetadataResult, describe
from tracker_sync.route import Route


__all__ = ["MetadataResult", "describe", "synchronise"]


def synchronise(
    source: Dhis2Client,
    destination: Dhis2Client,
    route: Route,
    before_write: Callable[[], None] = unguarded,
) -> MetadataResult:
    """Compare the metadata of a route on both servers, and write it if the route says so.

    `apply` writes what differs; `check` makes a blocking finding of what would refuse or
    lose data, and a warning of all else; `ignore` neither. With a blocking finding before
    it, nothing is written at all. A second run without a change in between posts nothing.

    Args:
        source: The server that is read.
        destination: The server that is written to.
        route: The route.
        before_write: Called before each write request; raises if this run may not write any
            more.

    Returns:
        What became of it. A refusal of the destination's is a blocking finding.
    """
    needed = read_needed(source, destination, route)
    found = with_names(destination, needed)
    findings = [*_before(needed, found, route)]
    if route.metadata != "ignore":
        findings += dangers(destination, needed, found, route)
    model = needed.model(destination.dialect)
    if found.changes or found.gone:
        findings += cut_off(source, route, model)
    result = MetadataResult(model, found, 0, tuple(findings))
    if route.metadata != "apply" or any(finding.blocking for finding in findings):
        return result
    try:
        return _applied(Writable(destination, before_write), needed, route, result)
    except NotAppliedError as refused:
        return replace(result, findings=(*findings, *refused.findings))


def _applied(
    there: Writable, needed: Needed, route: Route, result: MetadataResult
) -> MetadataResult:
    changes = without_kept(result.difference, route.metadata_org_units).changes
    ours, theirs = needed.sent.objects, needed.holding.objects
    gone = result.difference.gone if route.metadata_extras == "mirror" else ()
    removed = remove(there, gone)
    unlink(there, gone, theirs)
    steps = steps_of(changes, ours, theirs, route.metadata_sharing)
    free_names(there, steps, theirs, changes)
    sent = apply(there, steps, needed.held)
    removed |= remove(there, [one for one in gone if (one.plural, one.uid) not in removed])
    left = still_needed(gone, removed)
    if not sent and not removed:
        return replace(result, findings=(*result.findings, *left))
    after = read_again(there.client, needed, route)
    still = without_kept(after.compared(), route.metadata_org_units).changes
    return replace(
        result,
        model=after.model(there.client.dialect),
        sent=sent,
        removed=len(removed),
        findings=(*result.findings, *left, *remaining(still)),
    )


def _before(needed: Needed, found: Difference, route: Route) -> Sequence[Finding]:
    theirs, sent = needed.holding.objects, needed.sent
    findings = [*needed.findings, *unsupported(sent.objects, needed.sides.defaults)]
    findings += mapping_findings(route.mapping, needed.closure.objects, sent.objects, theirs)
    if route.metadata == "ignore":
        return findings
    findings += [*needed.closure.left_out, *sent.unresolved, *roles_unknown(sent.objects, theirs)]
    findings += [*clashing(found.clashes), *losing(found.set_aside)]
    findings += [*hidden(found.changes, theirs), *unfit(sent.objects, needed.sides.destination)]
    if route.metadata == "check":
        return [*findings, *differing(found.changes, theirs)]
    if route.metadata_extras == "mirror":
        findings += [*unseen(needed.findings), *taken_away(found.gone)]
    findings += swapped_codes(found.changes, theirs)
    return [*findings, *unit_findings(found.changes, sent.objects, route.metadata_org_units)]
