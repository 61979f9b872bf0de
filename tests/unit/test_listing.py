"""A list that takes several pages hides nobody, whoever leaves it meanwhile."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from builders import CLINIC, PROGRAM
from client.replay import VERSIONS
from dhis2_api.client import Dhis2Client
from dhis2_api.credentials import Credentials
from dhis2_api.dialects import dialect_of
from dhis2_api.errors import UnexpectedAnswer
from dhis2_api.export import Listing
from dhis2_api.fields import UID_KEYS, Listed
from listed import Changes, list_changes
from scripted_server import Reply, Request, as_json, of_version, scripted
from servers import HIV, SENEGAL, SURVEILLANCE, route, running
from tracker_sync.reading.listing import Source
from tracker_sync.reading.lists import KINDS, RunLists, Scopes
from tracker_sync.reading.lists import changes as changed
from tracker_sync.windows.window import Window


PURGES: dict[Listed, str] = {
    "trackedEntities": "DELETE FROM entity WHERE uid = ?",
    "enrollments": "DELETE FROM enrollment WHERE uid = ?",
    "events": "DELETE FROM event WHERE uid = ?",
}
OSLO = ZoneInfo("Europe/Oslo")


class Purging(Dhis2Client):
    """A client behind whose back the first row of each list is purged once it was read."""

    data: Path

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.purged: dict[str, str] = {}

    def get_bytes(self, path: str, params: Any = None) -> bytes:
        body = super().get_bytes(path, params)
        kind = next((kind for kind in KINDS if path.endswith(kind)), None)
        if kind and kind not in self.purged:
            (row, *_) = json.loads(body)[self.dialect.rows or kind]
            self.purged[kind] = row[UID_KEYS[kind]]
            with closing(sqlite3.connect(self.data)) as connection, connection:
                purge = connection.execute(PURGES[kind], (self.purged[kind],))
                assert purge.rowcount == 1
        return body


@contextmanager
def purging(folder: Path, version: str) -> Iterator[Purging]:
    with running(folder, "from", district=True, version=version) as source:
        with Purging(source.url, Credentials(token=f"d2p_{'from':x<32}")) as client:
            client.data = folder / "from"
            yield client


def everything(kind: Listed, page_size: int) -> Listing:
    return Listing(kind, HIV, (SENEGAL,), None, page_size)


def changes(client: Dhis2Client, *listings: Listing) -> Changes:
    return list_changes(Source(client, client.dialect, ZoneInfo("Etc/UTC")), listings)


def uids(found: Changes) -> set[str]:
    return set(found.rows["uid"].to_pylist())


@pytest.mark.parametrize("version", VERSIONS)
def test_a_row_that_a_purge_hid_is_found_by_a_later_pass(version: str, tmp_path: Path) -> None:
    with purging(tmp_path, version) as client:
        for kind in KINDS:
            found = changes(client, everything(kind, 20))
            there = changes(client, everything(kind, 1000))

            assert there.rows.num_rows > 60
            assert uids(found) == {*uids(there), client.purged[kind]}
            assert (found.found_later, found.passes) == (1, 3)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_list_of_one_page_is_read_once(version: str, tmp_path: Path) -> None:
    with running(tmp_path, "from", district=True, version=version) as client:
        found = changes(client, *(everything(kind, 1000) for kind in KINDS))

    assert found.rows.num_rows > 300
    assert (found.found_later, found.passes) == (0, 1)


def test_a_list_of_several_pages_is_read_until_nothing_new_appears(tmp_path: Path) -> None:
    with running(tmp_path, "from", district=True) as client:
        found = changes(client, everything("enrollments", 20))

    assert found.rows.num_rows == 66
    assert (found.found_later, found.passes) == (0, 2)


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_without_org_unit_is_no_answer_where_one_was_asked_for(kind: Listed) -> None:
    given = event("eventNight1", "11-24T12:00:00.000") | {"enrollment": "enrollNigh1"}
    nowhere = {name: value for name, value in given.items() if name != "orgUnit"}
    page = as_json({"pager": {"page": 1}, kind: [nowhere]})

    with (
        scripted(of_version("2.42.4", lambda _: page)) as server,
        Dhis2Client(server.url) as client,
    ):
        if kind == "enrollments":  # the person's tells the slice
            assert changes(client, everything(kind, 5)).rows.num_rows == 1
        else:
            with pytest.raises(UnexpectedAnswer, match="rows without `orgUnit`"):
                changes(client, everything(kind, 5))


def event(uid: str, stamp: str, *, deleted: bool = False) -> dict[str, Any]:
    row = {"event": uid, "trackedEntity": "person00001", "orgUnit": CLINIC}
    return {**row, "updatedAt": f"2026-{stamp}", "deleted": deleted}


class Pages:
    """A server whose list of events has the given pages, another at each request."""

    def __init__(self, *pages: list[dict[str, Any]]) -> None:
        self.pages = iter(pages)
        self.asked: list[int] = []

    def answer(self, request: Request) -> Reply:
        number = int(request.query["page"])
        self.asked.append(number)
        rows = next(self.pages) if number <= 2 else []
        pager: dict[str, Any] = {"page": number, "pageCount": 2}
        if number == 1:
            pager["nextPage"] = "http://dhis2.example/next"
        dialect = dialect_of(self.version)
        around = {dialect.pager: pager} if dialect.pager else pager
        return as_json({**around, dialect.rows or "events": rows})

    def listed(self, zone: ZoneInfo = OSLO, version: str = "2.42.4") -> Changes:
        self.version = version
        with (
            scripted(of_version(version, self.answer)) as server,
            Dhis2Client(server.url) as client,
        ):
            source = Source(client, dialect_of(version), zone)
            return list_changes(source, [Listing("events", PROGRAM, (CLINIC,), None, 5)])


@pytest.mark.parametrize("version", VERSIONS)
def test_there_are_three_passes_at_most_and_a_warning_if_the_last_still_found_something(
    version: str, caplog: pytest.LogCaptureFixture
) -> None:
    every_time_another = [[event(f"event{number:06}", "11-24T12:00:00.000")] for number in range(9)]
    server = Pages(*every_time_another)

    found = server.listed(version=version)

    assert server.asked.count(1) == server.asked.count(2) == 3
    assert (found.passes, found.found_later) == (3, 4)
    assert found.rows.num_rows == 6
    (warning,) = [record for record in caplog.records if record.levelname == "WARNING"]
    assert f"events of {PROGRAM}: 2 rows were new in the last of 3 passes" in warning.message


def test_a_list_that_came_to_rest_in_its_last_pass_is_not_warned_of(
    caplog: pytest.LogCaptureFixture,
) -> None:
    first, second = (event(uid, "11-24T12:00:00.000") for uid in ("eventFirst1", "eventLater1"))
    server = Pages([first], [], [first], [second], [first], [second])

    found = server.listed()

    assert (found.passes, found.found_later) == (3, 1)
    assert not [record for record in caplog.records if record.levelname == "WARNING"]


def test_of_an_object_seen_with_several_stamps_the_latest_is_kept() -> None:
    died = [event("eventDied01", "11-24T12:00:00.000"), event("eventBack01", "11-24T12:00:00.000")]
    later = [
        event("eventDied01", "11-24T12:00:05.000", deleted=True),
        event("eventBack01", "11-24T11:59:59.000", deleted=True),
    ]

    found = Pages(died, [], later, []).listed()

    deleted = dict(zip(*(found.rows[name].to_pylist() for name in ("uid", "deleted")), strict=True))
    assert deleted == {"eventDied01": True, "eventBack01": False}


# Between 01:00 and 02:00 UTC the clocks of Oslo repeat the hour from 02:00 to 03:00.
NIGHT = datetime(2026, 10, 25, tzinfo=UTC)
HALF_PAST_TWO = "10-25T02:30:00.000"


def of_october(*, start: datetime, end: datetime, covered: datetime) -> list[Any]:
    """Return the rows that a window leaves of one event, stamped half past two."""

    def script(request: Request) -> Reply:
        rows = [event("eventNight1", HALF_PAST_TWO)]
        return as_json({"pager": {"page": 1}, "events": rows})

    with scripted(of_version("2.42.4", script)) as server, Dhis2Client(server.url) as client:
        source = Source(client, dialect_of("2.42.4"), OSLO)
        only = route(programs=(SURVEILLANCE,))
        lists = RunLists(source, only, Scopes((), (SURVEILLANCE,), ()))
        window = Window(start, end, covered, moves=False)
        pages: list[pa.Table] = []
        lists.read({SURVEILLANCE: window}, pages.append)
        rows: list[Any] = changed(pa.concat_tables(pages), {SURVEILLANCE: window}).to_pylist()
        return rows


def test_a_stamp_of_the_hour_that_a_clock_repeats_is_two_instants() -> None:
    (row,) = of_october(start=NIGHT.replace(hour=0), end=NIGHT.replace(hour=4), covered=NIGHT)

    assert row["updated_at_earliest"] == NIGHT.replace(hour=0, minute=30)
    assert row["updated_at"] == NIGHT.replace(hour=1, minute=30)


def test_it_is_no_alarm_if_only_its_earlier_reading_is_too_old() -> None:
    start = NIGHT.replace(hour=2, minute=15)  # less the overlap of an hour: 02:15 the second time

    rows = of_october(start=start, end=NIGHT.replace(hour=4), covered=NIGHT)

    assert len(rows) == 1


@pytest.mark.parametrize(
    ("end", "covered", "kept"),
    [
        ((1, 0), (3, 0), 1),  # stamped half past twelve UTC it is before the end
        ((0, 15), (1, 15), 1),  # stamped half past one UTC it is not covered yet
        ((0, 15), (3, 0), 0),
    ],
)
def test_a_row_is_left_out_only_if_both_readings_were_accounted_for(
    end: tuple[int, int], covered: tuple[int, int], kept: int
) -> None:
    ends, covers = (NIGHT.replace(hour=hour, minute=minute) for hour, minute in (end, covered))

    rows = of_october(start=NIGHT.replace(hour=0), end=ends, covered=covers)

    assert len(rows) == kept
