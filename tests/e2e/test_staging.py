"""Whoever opens a run's Parquet with pandas counts what the source holds, program by program."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd

from dhis2_api.client import Dhis2Client
from e2e.sync import Sync


WITH_REGISTRATION = ("xsd8pFBm2w1", "m8nERzkN6j4", "pjYwBlP46Rf")
WITHOUT_REGISTRATION = ("fAw4hObwxfo",)
MOST = 2_000
EVENT = "event,programStage,dataValues[dataElement]"

# What is counted, of which program and stage -> how often it is there.
Numbers = dict[tuple[str, ...], int]


def test_pandas_over_the_staging_gives_the_sources_numbers_in_all_programs(sync: Sync) -> None:
    run = sync.run()

    assert run.state == "success"
    held = numbers_of_the_source(sync.source)
    assert {key[1] for key in held} == {*WITH_REGISTRATION, *WITHOUT_REGISTRATION}
    assert sum(count for key, count in held.items() if key[0] == "events") == 1_052
    assert numbers_with_pandas(Path(sync.report()["staging"])) == held


def numbers_with_pandas(run: Path) -> Numbers:
    enrollments, events, values = (
        staged(run, name) for name in ("enrollments", "events", "data_values")
    )
    of_stages = ["program", "programStage"]
    stages = events[["event", *of_stages]]
    counted = {
        "people": enrollments.groupby("program")["trackedEntity"].nunique(),
        "enrollments": enrollments.groupby("program").size(),
        "events": events.groupby(of_stages).size(),
        "values": values.merge(stages, on="event", validate="many_to_one")
        .groupby(of_stages)
        .size(),
    }
    return {
        (what, *map(str, key)): int(count)
        for what, series in counted.items()
        for *key, count in series.reset_index().itertuples(index=False)
    }


def staged(run: Path, name: str) -> pd.DataFrame:
    paths = [*run.glob(f"*/try-*/{name}.parquet")]
    assert paths
    return pd.concat([pd.read_parquet(path) for path in paths], ignore_index=True)


def numbers_of_the_source(source: Dhis2Client) -> Numbers:
    """Read the server plainly, as nothing of the sync does."""
    numbers: Counter[tuple[str, ...]] = Counter()
    for program in WITH_REGISTRATION:
        fields = f"trackedEntity,enrollments[enrollment,program,events[{EVENT}]]"
        for person in rows(source, "trackedEntities", program, fields):
            numbers["people", program] += 1
            for enrollment in person["enrollments"]:
                assert enrollment["program"] == program
                numbers["enrollments", program] += 1
                count_events(numbers, program, enrollment["events"])
    for program in WITHOUT_REGISTRATION:
        count_events(numbers, program, rows(source, "events", program, EVENT))
    return dict(numbers)


def count_events(numbers: Counter[tuple[str, ...]], program: str, events: list[Any]) -> None:
    for event in events:
        numbers["events", program, event["programStage"]] += 1
        numbers["values", program, event["programStage"]] += len(event["dataValues"])


def rows(source: Dhis2Client, kind: str, program: str, fields: str) -> list[Any]:
    everything = {"program": program, "orgUnitMode": "ACCESSIBLE", "fields": fields}
    answer = source.get(f"/api/tracker/{kind}", {**everything, "pageSize": MOST})
    found: list[Any] = answer[kind]
    assert 0 < len(found) < MOST
    return found
