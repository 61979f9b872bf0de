"""How far does the sandbox agree with the real servers?

`python -m sandbox.agreement` says it in one line a version, and fails below 97 %.
"""

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dhis2_sandbox.app import create_app
from dhis2_sandbox.clock import Clock
from dhis2_sandbox.server import serve
from dhis2_sandbox.start import Superuser
from dhis2_sandbox.versions import DIALECTS
from sandbox.essence import essence
from sandbox.exchanges import PASSWORDS, Answer, Exchange, Replay, recorded
from sandbox.tied_pages import is_tied, listing_of, pages_agree


#: The share that has to agree on every version, of all exchanges and of those about metadata.
GOAL = 0.97
#: Exchanges about metadata, of which the share is told apart as well.
_METADATA = ("metadata-", "program-metadata-", "default-")


@dataclass(frozen=True, slots=True)
class Agreement:
    """The recorded exchanges with one version, and those that went otherwise on the sandbox."""

    version: str
    names: Sequence[str]
    differing: frozenset[str]

    @property
    def metadata(self) -> Sequence[str]:
        """The exchanges about metadata."""
        return [name for name in self.names if _is_metadata(name)]

    @property
    def share(self) -> float:
        """The lower of two shares that went as on the real server: of all, and of metadata."""
        return min(self._share(self.names), self._share(self.metadata))

    def __str__(self) -> str:
        """Say it in one line."""
        differ = len(self.differing)
        metadata = frozenset(self.metadata)
        return (
            f"{self.version}: {len(self.names) - differ} agree, {differ} differ, "
            f"{self._share(self.names):.1%}; "
            f"of metadata {len(metadata - self.differing)} of {len(metadata)} agree"
        )

    def _share(self, names: Sequence[str]) -> float:
        return 1 - len(self.differing.intersection(names)) / len(names)


def _is_metadata(name: str) -> bool:
    return name[4:].startswith(_METADATA)  # after its number


def agreement(version: str, data: Path) -> Agreement:
    """Replay the recordings of a version against an empty sandbox, and compare."""
    pairs = _replayed(version, data)
    return Agreement(version, [exchange.name for exchange, _ in pairs], _differing(pairs))


def main() -> int:
    """Say how far every version agrees."""
    shares = []
    for version in sorted(DIALECTS):
        with tempfile.TemporaryDirectory() as folder:
            found = agreement(version, Path(folder))
        print(found, flush=True)  # noqa: T201 - a command's own output
        shares.append(found.share)
    return int(min(shares) < GOAL)


def _replayed(version: str, data: Path) -> list[tuple[Exchange, Answer]]:
    """Send every recorded request in order, at the hour of the recording."""
    exchanges = list(recorded(version))
    began = datetime.fromisoformat(exchanges[0].recorded.body["serverDate"]).replace(tzinfo=UTC)
    clock = Clock(shift=began - datetime.now(UTC))
    superuser = Superuser(password=PASSWORDS["admin"])
    app = create_app(data / "server.sqlite", superuser=superuser, clock=clock, version=version)
    with serve(app) as base_url:
        replay = Replay(base_url)
        return [(exchange, replay.send(exchange)) for exchange in exchanges]


def _differing(pairs: Sequence[tuple[Exchange, Answer]]) -> frozenset[str]:
    listings: dict[str, list[tuple[Exchange, Answer]]] = {}
    names = set()
    for exchange, answer in pairs:
        if is_tied(exchange):
            listings.setdefault(listing_of(exchange), []).append((exchange, answer))
        elif essence(exchange, answer) != essence(exchange, exchange.recorded):
            names.add(exchange.name)
    for pages in listings.values():
        if not pages_agree(pages):
            names |= {exchange.name for exchange, _ in pages}
    return frozenset(names)


if __name__ == "__main__":
    sys.exit(main())
