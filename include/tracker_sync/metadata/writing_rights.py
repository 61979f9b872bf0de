"""The writing rights: may this account write data of these objects, and into these org units?"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from dhis2_api.metadata import Fields
from dhis2_api.system import Account
from tracker_sync.findings import Finding, some_of


#: Who has it may write what is older than a program's expiry days.
_PAST_EXPIRY = "F_EDIT_EXPIRED"

_EXPIRY = ("completeEventsExpiryDays", "expiryDays")


def sharing_findings(
    server: str, account: Account, held: Mapping[str, Mapping[str, Fields]], wanted: Wanted
) -> Iterator[Finding]:
    """Give the objects whose data the account may not write, a blocking finding for each.

    A superuser may everything. All others are let in by the object's public sharing, by
    their own name or by one of their user groups (metadata 2.4).

    Args:
        server: What messages call it.
        account: The account that writes.
        held: What the destination shows of them, by class and UID.
        wanted: The UIDs of what data is to be written of, by class.
    """
    if account.is_superuser:
        return
    for plural, uids in wanted.items():
        for uid in sorted(uids):
            fields = held.get(plural, {}).get(uid)
            if fields is None:
                yield _not_shown(server, plural, uid)
            elif not may_write(account, fields):
                yield _closed(server, plural, uid)


Wanted = Mapping[str, Collection[str]]


def may_write(account: Account, fields: Fields) -> bool:
    """Whether the sharing of an object lets an account write its data."""
    # `rwrw----`: metadata read and write, then data read and write (metadata 2.4).
    return any(text[2:4] == "rw" for text in _texts(account, fields.get("sharing") or {}))


def assignment_findings(
    server: str, programs: Iterable[Fields], units: Collection[str], *, whole: bool
) -> Iterator[Finding]:
    """Give the programs that are not assigned to the route's org units.

    Args:
        server: What messages call it.
        programs: The programs as the destination has them.
        units: The org units under the roots, as the destination calls them.
        whole: Whether each of them matters, because nobody compared the assignments.
    """
    for program in programs:
        assigned = {unit["id"] for unit in program.get("organisationUnits") or []}
        lacking = sorted(set(units) - assigned)
        if units and len(lacking) == len(set(units)):
            yield _unassigned(server, program["id"])
        elif lacking and whole:
            yield _partly_assigned(server, program["id"], lacking)


def expiry_findings(server: str, account: Account, programs: Iterable[Fields]) -> Iterator[Finding]:
    """Give the programs that refuse older events, unless the account may write those too."""
    if account.is_superuser or _PAST_EXPIRY in account.authorities:
        return
    for program in programs:
        named = [f"{name} {program[name]}" for name in _EXPIRY if program.get(name)]
        if named:
            yield _expiring(server, program["id"], ", ".join(named))


def _texts(account: Account, sharing: Fields) -> Iterator[str]:
    yield str(sharing.get("public") or "")
    for kind, uids in (("users", {account.uid}), ("userGroups", account.groups)):
        for uid, share in (sharing.get(kind) or {}).items():
            if uid in uids:
                yield str((share or {}).get("access") or "")


def _not_shown(server: str, plural: str, uid: str) -> Finding:
    return Finding(
        "data_class_not_shown",
        blocking=True,
        text=f"{server}: {plural} {uid} does not exist or is not shown to the account",
        remedy="set `metadata: apply` in the route, or share it with a user group of the account",
    )


def _closed(server: str, plural: str, uid: str) -> Finding:
    return Finding(
        "data_write_missing",
        blocking=True,
        text=f"{server}: the account may not write data of {plural} {uid}: neither everybody "
        "nor any of its user groups may",
        remedy="give a user group of the account the right to capture data in its sharing",
    )


def _unassigned(server: str, program: str) -> Finding:
    return Finding(
        "program_not_assigned",
        blocking=True,
        text=f"{server}: programs {program} is assigned to no org unit of the route, so all its "
        "records would be refused",
        remedy="assign them to the program there, or set `metadata: apply` in the route",
    )


def _partly_assigned(server: str, program: str, lacking: list[str]) -> Finding:
    return Finding(
        "program_partly_assigned",
        blocking=False,
        text=f"{server}: programs {program} is not assigned to {some_of(lacking)}; records of it "
        "there would be refused",
        remedy="assign them to the program there if the source has records in them",
    )


def _expiring(server: str, program: str, terms: str) -> Finding:
    return Finding(
        "program_expires",
        blocking=False,
        text=f"{server}: programs {program} takes no events older than its {terms}",
        remedy=f"give a role of the account the authority {_PAST_EXPIRY}, or set them to 0 there",
    )
