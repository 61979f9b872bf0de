"""The authorities: which ones does the account lack for what this route may send?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dhis2_api.metadata import Fields
from dhis2_api.system import Account
from tracker_sync.findings import Finding, some_of


#: Authority -> what is refused without it, and with which code (tracker-api 4; measured:
#: limited-import). An account with ALL has both.
_CASCADES = {
    "F_TEI_CASCADE_DELETE": "a person with active enrollments (E1100)",
    "F_ENROLLMENT_CASCADE_DELETE": "an enrollment with events (E1103)",
}

_REOPENING = "F_UNCOMPLETE_EVENT"


def deleting_findings(server: str, account: Account) -> Iterator[Finding]:
    """Give what keeps an account from deleting people and enrollments with what is below them.

    Children are deleted first, so it is no more than a warning: only a child that can't be
    deleted by itself, such as an event out of reach, makes its parent need the authority.
    """
    lacking = [name for name in _CASCADES if not _has(account, name)]
    if lacking:
        yield Finding(
            "cascade_authority_missing",
            blocking=False,
            text=f"{server}: the route sends deletions, and the account may not delete "
            f"{' or '.join(_CASCADES[name] for name in lacking)}, should something below be left",
            remedy=f"give a role of the account {' and '.join(lacking)}",
        )


def reopening_findings(
    server: str, account: Account, stages: Iterable[Fields]
) -> Iterator[Finding]:
    """Give what keeps an account from opening completed events again.

    Args:
        server: What messages call it.
        account: The account that writes.
        stages: The program stages as the destination has them. One that blocks entry has its
            completed events opened for every change, by newer patches (measured: E1326).
    """
    stages = list(stages)
    if not stages or _has(account, _REOPENING):
        return
    blocked = sorted(fields["id"] for fields in stages if fields.get("blockEntryForm"))
    changes = f", nor any changed one of the stages {some_of(blocked)}, which "
    yield Finding(
        "reopening_authority_missing",
        blocking=False,
        text=f"{server}: the account may not write an event that was completed and is open again "
        f"at the source (E1083){changes + 'block entry (E1326)' if blocked else ''}",
        remedy=f"give a role of the account {_REOPENING}",
    )


def _has(account: Account, authority: str) -> bool:
    return account.is_superuser or authority in account.authorities
