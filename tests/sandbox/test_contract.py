"""Does the sandbox answer like the real server did?"""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from dhis2_sandbox.app import create_app
from dhis2_sandbox.clock import Clock
from dhis2_sandbox.dialect import DIALECTS
from dhis2_sandbox.server import serve
from dhis2_sandbox.start import Superuser
from sandbox.essence import essence
from sandbox.exchanges import PASSWORDS, Answer, Exchange, Replay, known_differences, recorded
from sandbox.tied_pages import is_tied, listing_of, pages_agree


_RECORDED_AT = datetime(2026, 11, 24, 12, 6, 19, tzinfo=UTC)
_METADATA = ("metadata-", "program-metadata-", "default-")


def _replayed(version: str, data: Path) -> list[tuple[Exchange, Answer]]:
    """Send every recorded request to an empty sandbox, at the hour of the recording."""
    clock = Clock(shift=_RECORDED_AT - datetime.now(UTC))
    superuser = Superuser(password=PASSWORDS["admin"])
    app = create_app(data / "server.sqlite", superuser=superuser, clock=clock, version=version)
    with serve(app) as base_url:
        replay = Replay(base_url)
        return [(exchange, replay.send(exchange)) for exchange in recorded(version)]


def _differing(pairs: list[tuple[Exchange, Answer]]) -> set[str]:
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
    return names


@pytest.mark.parametrize("version", sorted(DIALECTS))
def test_every_recorded_exchange_goes_as_it_went_on_the_real_server(
    version: str, tmp_path: Path
) -> None:
    reasons = known_differences(version)

    pairs = _replayed(version, tmp_path)

    assert len(pairs) > 300
    differing = _differing(pairs)
    unexplained = sorted(differing - set(reasons))
    stale = sorted(set(reasons) - differing)
    data = [e.name for e, _ in pairs if not e.name[4:].startswith(_METADATA)]
    agreeing = [name for name in data if name not in differing]
    summary = f"{version}: {len(agreeing)} of {len(data)} data exchanges agree"
    print(f"{summary}, {len(differing)} differ, none left out")  # noqa: T201 - the agreement is a number to read
    assert not unexplained, f"differ without a reason: {unexplained}"
    assert not stale, f"agree by now, so their reason is to go: {stale}"
    assert len(agreeing) / len(data) >= 0.97
