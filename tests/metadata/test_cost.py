"""What does it cost to find out that nothing changed?"""

from __future__ import annotations

import os
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dhis2_api.client import Dhis2Client
from dhis2_api.metadata import PAGE
from metadata.national import ELEMENTS, PROGRAM, RULES, national, size
from servers import HIV, MATERNAL, SENEGAL, VACCINATION, Pair, put, route, running
from tracker_sync.metadata import synchronise
from tracker_sync.metadata.closure import closure_of
from tracker_sync.metadata.difference import difference
from tracker_sync.metadata.merging import merged
from tracker_sync.metadata.org_units import Scope
from tracker_sync.metadata.sides import Sides
from tracker_sync.metadata.source import Source


#: `make deep` takes as many as a country has.
MANY = 10_000 if os.environ.get("HYPOTHESIS_PROFILE") == "deep" else 2_500


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Note which requests are sent meanwhile."""
    sent: list[str] = []
    send = Dhis2Client.send

    def noted(self: Dhis2Client, request: Any, **also: Any) -> Any:
        sent.append(f"{self.name} {request.method} {request.path} {len(request.params)}")
        return send(self, request, **also)

    with monkeypatch.context() as patch:
        patch.setattr(Dhis2Client, "send", noted)
        yield sent


def test_an_unchanged_program_of_three_megabytes_costs_three_requests_and_two_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit = {"id": SENEGAL, "name": "Sénégal", "shortName": "SN", "openingDate": "2020-01-01"}
    classes = national(SENEGAL)
    assert size(classes) > 3_000_000
    alone = route(programs=(PROGRAM,))
    with running(tmp_path, "from") as source, running(tmp_path, "to") as destination:
        put(source, "organisationUnits", unit)
        source.post("/api/metadata", classes)
        first = synchronise(source, destination, alone)
        assert (first.findings, first.counts["programRules"].new) == ((), RULES)
        assert first.counts["dataElements"].new == ELEMENTS

        with counted(monkeypatch) as sent:
            before = time.thread_time()  # the servers run in other threads
            again = synchronise(source, destination, alone)
            spent = time.thread_time() - before

    assert again.sent == 0
    assert {(count.new, count.changed) for count in again.counts.values()} == {(0, 0)}
    assert len(sent) == 3, sent
    assert spent < 2.0


def test_three_unchanged_programs_cost_less_than_two_requests_each(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    synchronise(pair.source, pair.destination, route())

    with counted(monkeypatch) as sent:
        again = synchronise(pair.source, pair.destination, route())

    assert again.sent == 0
    assert again.counts["programs"].same == len({HIV, MATERNAL, VACCINATION})
    assert len(sent) == 5, sent


def test_many_org_units_are_read_by_pages_in_a_bounded_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    units = country(MANY)
    classes = national(*(unit["id"] for unit in units))
    few = {name: classes[name][:0] if "Rule" in name else classes[name] for name in classes}
    alone = route(programs=(PROGRAM,), org_units=(units[0]["id"],))
    with running(tmp_path, "from") as source, running(tmp_path, "to") as destination:
        for server in (source, destination):
            server.post("/api/metadata", {"organisationUnits": units})
            server.post("/api/metadata", few)

        with counted(monkeypatch) as sent:
            before = time.thread_time()
            again = synchronise(source, destination, alone)
            spent = time.thread_time() - before

    assert again.sent == 0
    assert again.counts["organisationUnits"].same == MANY
    pages = -(-MANY // PAGE)
    assert len([one for one in sent if "/api/organisationUnits" in one]) == 2 * pages
    assert len(sent) == 3 + 2 * pages, sent
    assert spent < 10.0


def test_comparing_many_org_units_takes_memory_in_proportion() -> None:
    units = {unit["id"]: unit | {"path": f"/{unit['id']}"} for unit in country(MANY)}
    source = Source(scope=Scope(frozenset(units), units))
    everywhere = route(org_units=("unit0000000",))

    tracemalloc.start()
    closure = closure_of(source, everywhere, {})
    found = difference(closure.objects, closure.objects, Sides(reached=frozenset(units)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert found.counts["organisationUnits"].same == MANY
    assert peak < MANY * 10_000


def test_assignments_are_compared_as_sets_in_no_time() -> None:
    there = [{"id": f"unit{number:07d}"} for number in range(10_000)]
    ours: dict[str, Any] = {"id": PROGRAM, "organisationUnits": there[::-2]}
    theirs = {"id": PROGRAM, "organisationUnits": there}

    before = time.thread_time()
    kept = merged("programs", ours, theirs)
    mirrored = merged("programs", ours, theirs, mirror(there))
    spent = time.thread_time() - before

    assert len(kept["organisationUnits"]) == 10_000
    assert len(mirrored["organisationUnits"]) == 5_000
    assert spent < 0.5


def mirror(units: list[dict[str, str]]) -> Sides:
    return Sides(mirror=True, reached=frozenset(unit["id"] for unit in units))


def country(count: int) -> list[dict[str, Any]]:
    """Return org units: a top, regions, districts and their health posts."""
    units: list[dict[str, Any]] = []
    for number in range(count):
        unit: dict[str, Any] = {
            "id": f"unit{number:07d}",
            "name": f"Poste {number}",
            "shortName": f"P {number}",
        }
        unit |= {"openingDate": "2020-01-01", "code": f"P{number}"}
        if number:
            unit["parent"] = {"id": f"unit{(number - 1) // 20:07d}"}
        units.append(unit)
    return units
