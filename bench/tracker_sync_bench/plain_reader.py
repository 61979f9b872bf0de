"""The plain reader: what a good engineer writes in half an hour with requests and pandas.

One page after another, `json_normalize` once for each table, Parquet at the end. It
stands beside ours in the bench so that a number means something.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import requests

from dhis2_api.fields import LISTING_FIELDS, PERSON_FIELDS
from tracker_sync_bench.material import LISTED_A_PAGE, PEOPLE_A_PAGE, people_in
from tracker_sync_bench.population import PROGRAM, ROOT
from tracker_sync_bench.work import Work


Rows = list[dict[str, Any]]

_PERSON: list[str | list[str]] = ["trackedEntity"]
_ENROLLMENT = [*_PERSON, ["enrollments", "enrollment"]]
_EVENT = [*_ENROLLMENT, ["enrollments", "events", "event"]]

# Table -> where its rows lie in a person, and what of those above they keep.
_TABLES = {
    "attributes": (["attributes"], _PERSON),
    "owners": (["programOwners"], _PERSON),
    "enrollments": (["enrollments"], _PERSON),
    "program_attributes": (["enrollments", "attributes"], _ENROLLMENT),
    "events": (["enrollments", "events"], _ENROLLMENT),
    "data_values": (["enrollments", "events", "dataValues"], _EVENT),
    "notes": (["enrollments", "events", "notes"], _EVENT),
}
_NESTED = [
    *("attributes", "enrollments", "events", "dataValues", "notes"),
    *("programOwners", "relationships"),
]


def stage(work: Work) -> Callable[[], int]:
    """Turn pages that are in memory into Parquet."""
    bodies = [*people_in(Path(work.folder)).pages()]
    return lambda: _save(work, (json.loads(body)["trackedEntities"] for body in bodies))


def list_people(work: Work) -> Callable[[], int]:
    """List who changed, in all three lists, and keep it as Parquet."""

    def run() -> int:
        pages = [
            pd.DataFrame(rows).assign(kind=kind)
            for kind, fields in LISTING_FIELDS.items()
            for rows in _pages(work.url, kind, fields, LISTED_A_PAGE)
        ]
        listed = pd.concat(pages)
        listed["updatedAt"] = pd.to_datetime(listed["updatedAt"])
        listed.to_parquet(Path(work.folder) / "listed.parquet")
        return int(listed["trackedEntity"].nunique())

    return run


def read_people(work: Work) -> Callable[[], int]:
    """Read everybody page by page, and keep them as Parquet."""
    return lambda: _save(work, _pages(work.url, "trackedEntities", PERSON_FIELDS, PEOPLE_A_PAGE))


def _pages(url: str, kind: str, fields: str, size: int) -> Iterator[Rows]:
    params: dict[str, str | int] = {
        "program": PROGRAM,
        "orgUnits": ROOT,
        "orgUnitMode": "DESCENDANTS",
        "includeDeleted": "true",
        "order": "createdAt:asc",
        "fields": fields,
        "pageSize": size,
        "page": 1,
    }
    with requests.Session() as session:
        while True:
            response = session.get(f"{url}/api/tracker/{kind}", params=params, timeout=60)
            response.raise_for_status()
            answer = response.json()
            yield answer[kind]
            if "nextPage" not in answer["pager"]:
                return
            params["page"] = answer["pager"]["page"] + 1


def _save(work: Work, pages: Iterable[Rows]) -> int:
    frames: dict[str, list[pd.DataFrame]] = {name: [] for name in ["people", *_TABLES]}
    for rows in pages:
        frames["people"].append(_without_nested(pd.json_normalize(rows)))
        for name, (path, meta) in _TABLES.items():
            table = pd.json_normalize(rows, path, meta)
            frames[name].append(_without_nested(table))
    folder = Path(work.folder) / "plain"
    folder.mkdir(exist_ok=True)
    for name, parts in frames.items():
        pd.concat(parts).to_parquet(folder / f"{name}.parquet")
    return sum(map(len, frames["data_values"]))


def _without_nested(table: pd.DataFrame) -> pd.DataFrame:
    return table.drop(columns=_NESTED, errors="ignore")
