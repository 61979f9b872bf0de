"""Does an empty server of each version get the model of each other, and then the data?"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from dhis2_api.importer import import_objects
from metadata.grown import grow
from metadata.twins import contents, written_at
from project import PROJECT
from servers import HIV, MATERNAL, SENEGAL, SURVEILLANCE, VACCINATION, Pair, grant, route, running
from tracker_sync.metadata import synchronise


DISTRICT = PROJECT / "include" / "dhis2_sandbox" / "district" / "tracker.json"
VERSIONS = ("2.40.9", "2.41.8", "2.42.4", "2.43.1")
ALL_PAIRS = os.environ.get("HYPOTHESIS_PROFILE") == "deep"
PAIRS = (
    [*product(VERSIONS, repeat=2)]
    if ALL_PAIRS
    else [
        ("2.40.9", "2.43.1"),
        ("2.41.8", "2.42.4"),
        ("2.42.4", "2.41.8"),
        ("2.43.1", "2.40.9"),
    ]
)
WHOLE = route(programs=(HIV, MATERNAL, VACCINATION, SURVEILLANCE))
KINDS = ("trackedEntities", "enrollments", "events", "relationships")


@pytest.fixture(params=PAIRS, ids=" to ".join)
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pair]:
    """Give a server with the district and the grown model, and an empty one."""
    one, other = request.param
    with (
        running(tmp_path, "from", district=True, version=one) as source,
        running(tmp_path, "to", version=other) as destination,
    ):
        grow(source)
        yield Pair(source, destination)


def test_an_empty_destination_gets_the_model_once_and_then_takes_the_districts_data(
    pair: Pair,
) -> None:
    first = synchronise(pair.source, pair.destination, WHOLE)
    stamps = written_at(pair.destination)
    second = synchronise(pair.source, pair.destination, WHOLE)

    assert {finding.code for finding in first.findings} <= {"field_unknown_there"}
    assert first.sent == sum(count.new for count in first.counts.values()) > 100
    names = contents(pair.destination).keys()
    assert names >= {("programs", uid) for uid in WHOLE.programs}
    assert names >= {("organisationUnits", uid) for uid in first.model.org_units}
    assert (second.sent, second.difference.changes, second.difference.gone) == (0, (), ())
    assert written_at(pair.destination) == stamps
    assert second.model == first.model
    takes_the_district(pair)


def takes_the_district(pair: Pair) -> None:
    grant(pair.destination, SENEGAL)
    pair.destination.forget_session()
    data: dict[str, Any] = json.loads(DISTRICT.read_text(encoding="utf-8"))
    assert sum(len(data[kind]) for kind in KINDS) > 1_000
    for kinds in (("trackedEntities", "enrollments", "events"), ("relationships",)):
        sent: dict[str, Any] = {kind: data[kind] for kind in kinds if kind in data}

        report = import_objects(pair.destination, sent)

        assert report.refused == {}
        assert len(report.stored) == sum(map(len, sent.values()))
