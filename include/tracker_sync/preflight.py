"""The preflight: are these two servers ones this route may run between?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dhis2_api.client import Dhis2Client
from dhis2_api.dialects import dialect_of
from dhis2_api.errors import UnsupportedVersion
from dhis2_api.system import Account, Server, read_account, read_server
from tracker_sync.findings import Finding
from tracker_sync.metadata.reach import beyond_reach
from tracker_sync.route import Route


_MOST_SKEW = timedelta(minutes=5)
_MAY_EXPORT = frozenset({"ALL", "F_METADATA_EXPORT"})


@dataclass(frozen=True, slots=True)
class Preflight:
    """What the two servers said before anything was written.

    Attributes:
        source: The server to read from.
        destination: The server to write to.
        findings: What a person should know, or must mend first.
        identities: What each server is known by: its systemId, or its address.
    """

    source: Server
    destination: Server
    findings: tuple[Finding, ...]
    identities: tuple[str, str]


def preflight(source: Dhis2Client, destination: Dhis2Client, route: Route) -> Preflight:
    """Look at both servers and both accounts, and write nothing.

    The rights at the destination are looked at after the metadata is there, by
    `tracker_sync.readiness`.

    Raises:
        Unauthorized: A server does not accept its account.
        UnexpectedAnswer: An address is not that of a DHIS2 server.
    """
    ours, our_skew = _read(source)
    theirs, their_skew = _read(destination)
    identities = (ours.system_id or source.url, theirs.system_id or destination.url)
    strange = [*_version(source.name, ours), *_version(destination.name, theirs)]
    if strange:  # what else such a server says may mean something else
        return Preflight(ours, theirs, tuple(strange), identities)
    account, _ = read_account(source), read_account(destination)
    findings = [
        *_same(source, destination, ours, theirs),
        *clock_findings(our_skew - their_skew),
        *_rights(source.name, account),
        *beyond_reach(source, account, route, ("search",)),
    ]
    return Preflight(ours, theirs, tuple(findings), identities)


def describe(preflight: Preflight) -> list[str]:
    """Return lines for a task's log: versions, zones, findings."""
    servers = (("source", preflight.source), ("destination", preflight.destination))
    seen = [f"{side}: DHIS2 {server.version}, zone {server.zone.key}" for side, server in servers]
    return [*seen, *map(str, preflight.findings)]


def clock_findings(skew: timedelta) -> list[Finding]:
    """Judge how far the source's clock is ahead of the destination's (behind: negative)."""
    if abs(skew) <= _MOST_SKEW:
        return []
    minutes = round(abs(skew) / timedelta(minutes=1))
    return [
        Finding(
            "clocks_differ",
            blocking=False,
            text=f"the clocks of the servers differ by {minutes} minutes",
            remedy="set both by a time server; the window is counted in the source's clock",
        )
    ]


def _read(client: Dhis2Client) -> tuple[Server, timedelta]:
    server = read_server(client)
    return server, server.now - datetime.now(UTC)


def _version(name: str, server: Server) -> list[Finding]:
    try:
        dialect_of(server.version)
    except UnsupportedVersion as error:
        text, _, remedy = str(error).partition(": ")
        return [
            Finding("version_unsupported", blocking=True, text=f"{name}: {text}", remedy=remedy)
        ]
    return []


def _same(
    source: Dhis2Client, destination: Dhis2Client, ours: Server, theirs: Server
) -> list[Finding]:
    # Many servers of 2.42 give no systemId, and two without one are not the same.
    same_id = ours.system_id is not None and ours.system_id == theirs.system_id
    same_address = source.url == destination.url
    if not same_id and not same_address:
        return []
    text = "the same address" if same_address else "the same systemId"
    return [
        Finding(
            "route_to_itself",
            blocking=True,
            text=f"{source.name} and {destination.name} are servers with {text}",
            remedy="correct the connections; a server restored from a copy needs a systemId anew",
        )
    ]


def _rights(name: str, account: Account) -> list[Finding]:
    if account.authorities & _MAY_EXPORT:
        return []
    return [
        Finding(
            "metadata_export_missing",
            blocking=False,  # it is read class by class instead
            text=f"{name}: the account may not export a program's metadata as a whole, so what "
            "is not shared with it is not seen",
            remedy="give one of its roles the authority F_METADATA_EXPORT",
        )
    ]
