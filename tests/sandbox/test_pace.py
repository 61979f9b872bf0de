"""Is the sandbox quick enough to try big loads on, and does it answer without a socket?"""

import asyncio
import json
import resource
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

import httpx

from dhis2_sandbox.app import create_app
from dhis2_sandbox.start import Superuser
from sandbox.district import FACILITY, FIRST_NAME, FOLLOW_UP, HIV, TOKEN, Caller, person


#: What a batch may cost, in yardsticks: about 0.6 when this was written.
_MOST = 1.5
_BATCH = 200
_HEADERS = {"Authorization": f"ApiToken {TOKEN}"}


def _with_events(number: int) -> dict[str, Any]:
    """Return a person with an enrollment and four events."""
    place = {"program": HIV, "orgUnit": FACILITY}
    dates = {"occurredAt": "2026-01-06", "scheduledAt": "2026-01-06"}
    events = [
        {"event": f"Ev{number:06}{step:03}", "programStage": FOLLOW_UP, **place, **dates}
        for step in range(4)
    ]
    enrollment = {
        "enrollment": f"Enr{number:08}",
        "enrolledAt": "2026-01-05",
        "occurredAt": "2026-01-05",
        "attributes": [{"attribute": "kd7nkrMgEfm", "value": f"PACE-{number}"}],
        "events": events,
        **place,
    }
    return person(f"Pac{number:08}", **{FIRST_NAME: "Awa"}) | {"enrollments": [enrollment]}


def _batches(count: int) -> Iterator[list[dict[str, Any]]]:
    for batch in range(count):
        first = batch * _BATCH
        yield [_with_events(number) for number in range(first, first + _BATCH)]


def _yardstick() -> float:
    """Return the processor seconds of a fixed piece of work, to compare a batch with.

    Both are of this process alone, sandbox included: neighbours and slow machines change them
    alike.
    """
    began = process_time()
    rows = {f"key{number}": {"number": number, "text": str(number)} for number in range(60_000)}
    assert json.loads(json.dumps(rows)) == rows
    return process_time() - began


def test_people_are_taken_in_quickly_and_memory_stays_flat(district: Caller) -> None:
    costs, rates, sizes = [], [], []
    for people in _batches(6):
        began, used = perf_counter(), process_time()
        stats = district.post({"trackedEntities": people}).json()["stats"]
        rates.append(_BATCH / (perf_counter() - began))
        costs.append((process_time() - used) / _yardstick())
        sizes.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
        assert stats["created"] == 6 * _BATCH

    print(f"{median(rates):.0f} people a second; a batch costs {median(costs):.2f} yardsticks")  # noqa: T201 - numbers to read
    assert median(costs) < _MOST
    assert sizes[-1] - sizes[1] < 20_000, "kilobytes"


def test_it_answers_in_process(data: Path) -> None:
    app = create_app(data, district=True, superuser=Superuser(token=TOKEN))

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://sandbox", headers=_HEADERS
        ) as client:
            return await client.get("/api/tracker/trackedEntities", params={"program": HIV})

    answer = asyncio.run(ask())

    assert answer.status_code == 200
    assert len(answer.json()["trackedEntities"]) == 50
