"""What may an account see and do?"""

from collections.abc import Iterable
from dataclasses import dataclass

from dhis2_sandbox.metadata.store import Members, Metadata


SUPERUSER = "ALL"
#: Positions in a sharing text such as `rwrw----`.
METADATA_READ, METADATA_WRITE, DATA_READ, DATA_WRITE = range(4)
_LETTERS = "rwrw"
#: What an owner may whatever the sharing says; data is not among it (metadata 2.4).
_OWNED = frozenset({METADATA_READ, METADATA_WRITE})


@dataclass(frozen=True, slots=True)
class Rights:
    """An account as a session knows it: later changes of the account do not reach it (measured).

    Attributes:
        capture: paths of the org units below which it may write.
        search: paths of the org units below which it may read.
    """

    uid: str
    username: str
    authorities: frozenset[str]
    groups: frozenset[str]
    capture: tuple[str, ...]
    search: tuple[str, ...]

    @property
    def superuser(self) -> bool:
        """Whether sharing and authorities do not matter."""
        return SUPERUSER in self.authorities

    def has(self, authority: str) -> bool:
        """Tell whether the account holds the authority."""
        return self.superuser or authority in self.authorities

    def captures(self, path: str) -> bool:
        """Tell whether the org unit is in the capture scope."""
        return _below(path, self.capture)

    def searches(self, path: str) -> bool:
        """Tell whether the org unit is in the search scope."""
        return _below(path, self.search or self.capture)

    def may(self, wish: int, shared: Members | None) -> bool:
        """Tell whether sharing allows the wish, e.g. DATA_READ, on a metadata object."""
        if self.superuser:
            return True
        if shared is None:
            return False
        sharing = shared.get("sharing") or {}
        if wish in _OWNED and sharing.get("owner") == self.uid:
            return True
        texts = [sharing.get("public") or "--------"]
        texts += _accesses(sharing.get("users"), [self.uid])
        texts += _accesses(sharing.get("userGroups"), self.groups)
        return any(text[wish : wish + 1] == _LETTERS[wish] for text in texts)


def rights_of(user: Members, metadata: Metadata) -> Rights:
    """Return what a user may do by the present metadata."""
    roles = [metadata.get("userRoles", role["id"]) or {} for role in user.get("userRoles", [])]
    return Rights(
        uid=user["id"],
        username=user["username"],
        authorities=frozenset(name for role in roles for name in role.get("authorities", [])),
        groups=frozenset(
            group["id"]
            for group in metadata.all("userGroups")
            if any(member["id"] == user["id"] for member in group.get("users", []))
        ),
        capture=_paths(user.get("organisationUnits", []), metadata),
        search=_paths(user.get("teiSearchOrganisationUnits", []), metadata),
    )


def _paths(references: Iterable[Members], metadata: Metadata) -> tuple[str, ...]:
    units = (metadata.get("organisationUnits", item["id"]) for item in references)
    return tuple(unit["path"] for unit in units if unit is not None)


def _below(path: str, roots: tuple[str, ...]) -> bool:
    return any(path == root or path.startswith(root + "/") for root in roots)


def _accesses(shares: dict[str, Members] | None, holders: Iterable[str]) -> list[str]:
    return (
        [shares[uid].get("access", "") for uid in holders if uid in (shares or {})]
        if shares
        else []
    )
