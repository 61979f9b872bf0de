"""A run reads whoever changed, whoever a selection lets in, and whoever was sent once."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from client.replay import VERSIONS
from dhis2_api.client import Dhis2Client
from dhis2_api.errors import PermanentError, UnexpectedAnswer
from dhis2_api.importer import Ref, delete_objects, import_objects
from servers import (
    DAKAR,
    HIV,
    MATERNAL,
    PERSON,
    SURVEILLANCE,
    VACCINATION,
    put,
    read,
    route,
    running,
)
from tracker_sync.metadata.closure import read_closure
from tracker_sync.metadata.modelling import model_of
from tracker_sync.outcome import Entry, Outcome
from tracker_sync.publish import publish
from tracker_sync.reading.who_is_read import READ
from tracker_sync.route import AttributeCondition, ProgramSelection, Reading, Slices
from tracker_sync.runs.plan import RunPlan
from tracker_sync.runs.slicing import Origin
from tracker_sync.servers import note_servers, state_folder
from tracker_sync.state.known import Page, open_refusals, remember
from tracker_sync.steps.plan_slices import plan_slices, write_listing
from tracker_sync.windows.window import Occasion
from tracker_sync.workspace import Workspace


REGISTERED, UNENROLLED, LONE_EVENTS = 186, 6, 60
CLINIC, RUFISQUE = "RPIeQRab7JG", "oYVGsuTRqFW"
SEX, FIRST_NAME, LAST_NAME, BORN = "zzlC4ArMYGX", "igrbHRNTbIn", "XlaUz6AYQa9", "e6bl9NqfY2M"
IS_F = AttributeCondition(attribute=SEX, operator="EQ", values=("F",))
DOSE, NOTIFICATION = "fCzKE9pAvQw", "cPInfvgfsFJ"
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)

Row = dict[str, Any]


class Nights:
    """One route of a district, run as often as a test wants, as far as its plan."""

    def __init__(self, source: Dhis2Client, folder: Path, **terms: Any) -> None:
        self.source, self.folder = source, folder
        at_once = {"overlap_minutes": 0, **terms.pop("reading", {})}
        self.route = route(baseline="allow", reading=Reading(**at_once), **terms)
        self.model = model_of(read_closure(source, self.route, {}).objects, {})
        self.marks: dict[str, datetime] = {}
        self.count = 0
        self.plan_next()

    def plan_next(self) -> RunPlan:
        self.count += 1
        self.workspace = Workspace(self.folder, "district", f"night-{self.count}")
        note_servers(self.workspace, "https://a.example", "https://b.example")
        publish(self.workspace.model, self.model.to_json().encode())
        occasion = Occasion("manual", watermarks=self.marks)
        self.plan = plan_slices(self.source, self.route, self.workspace, occasion)
        self.marks |= {key: window.end for key, window in self.plan.moving().items()}
        return self.plan

    def listed(self) -> dict[str, Row]:
        rows: list[Row] = pq.read_table(self.workspace.listing).to_pylist()
        assert len({(row["kind"], row["uid"]) for row in rows}) == len(rows)
        return {row["uid"]: row for row in rows}

    def knows(
        self, *refs: Ref, outcome: Outcome = Outcome.STORED, program: str = SURVEILLANCE
    ) -> None:
        """Let earlier runs have come to an outcome."""
        content = None if outcome is Outcome.REFUSED else "hash"
        page = Page(state_folder(self.workspace), "night-0", "slice", 1, EPOCH, program)
        people = {ref: ref.uid if ref.kind == "TRACKED_ENTITY" else None for ref in refs}
        lines = [Entry(ref, people[ref], outcome, content_hash=content) for ref in refs]
        remember(page, lines, self.model.hash)


@pytest.fixture(scope="module", params=VERSIONS)
def untouched(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Dhis2Client]:
    """A district of each version, which nobody writes to."""
    folder = tmp_path_factory.mktemp("district")
    with running(folder, "from", district=True, version=request.param) as source:
        yield source


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("written")


@pytest.fixture(scope="module", params=VERSIONS)
def district(request: pytest.FixtureRequest, folder: Path) -> Iterator[Dhis2Client]:
    """A district of each version, written to by tests whose windows begin after one another."""
    with running(folder, f"from-{request.param}", district=True, version=request.param) as source:
        yield source


def stamp_long_ago(data: Path, **uids: str) -> None:
    """Let rows of a server look as if nothing had moved their stamps."""
    with closing(sqlite3.connect(data)) as connection, connection:
        for table, uid in uids.items():
            stamp = f"UPDATE {table} SET updated_at = ? WHERE uid = ?"  # noqa: S608 - our own names
            done = connection.execute(stamp, ("2020-01-01T00:00:00.000", uid))
            assert done.rowcount == 1


def send(source: Dhis2Client, **lists: list[Row]) -> None:
    report = import_objects(source, lists)
    assert report.stored
    assert not report.refused


def remove(source: Dhis2Client, kind: str, uid: str) -> None:
    assert delete_objects(source, [Ref(kind, uid)]).stored


def registered(uid: str, sex: str = "F", org_unit: str = CLINIC) -> Row:
    values = {FIRST_NAME: "Awa", LAST_NAME: "Diop", BORN: "1990-01-01", SEX: sex}
    attributes = [{"attribute": name, "value": value} for name, value in values.items()]
    return {
        "trackedEntity": uid,
        "trackedEntityType": PERSON,
        "orgUnit": org_unit,
        "attributes": attributes,
    }


def enrolled(person: str, uid: str, **terms: Any) -> Row:
    dates = {"enrolledAt": "2026-01-05", "occurredAt": "2026-01-05"}
    place = {"program": VACCINATION, "orgUnit": CLINIC}
    return {
        "enrollment": uid,
        "trackedEntity": person,
        "status": "ACTIVE",
        **place,
        **dates,
        **terms,
    }


def notified(uid: str, org_unit: str = CLINIC, day: str = "2026-05-01", **terms: Any) -> Row:
    kind = {"program": SURVEILLANCE, "programStage": NOTIFICATION, "status": "ACTIVE"}
    return {"event": uid, "orgUnit": org_unit, "occurredAt": day, **kind, **terms}


def test_everybody_is_in_exactly_one_slice(untouched: Dhis2Client, tmp_path: Path) -> None:
    nights = Nights(untouched, tmp_path)

    people = nights.listed()
    assert len(people) == REGISTERED - UNENROLLED
    assert {row["kind"] for row in people.values()} == {"TRACKED_ENTITY"}
    assert all(row["programs"] and row["listed"] for row in people.values())
    for name in ("enrollments", "events"):
        below = [uid for row in people.values() for uid in row[name]]
        assert len(below) == len(set(below)) > 100, name
    counts = Counter(row["slice"] for row in people.values())
    assert counts == {piece.slice: piece.to_read for piece in nights.plan.slices}
    assert len(counts) > 1


def test_people_without_enrollment_are_read_only_if_the_route_says_so(
    untouched: Dhis2Client, tmp_path: Path
) -> None:
    enrolled_ones = Nights(untouched, tmp_path / "without").listed()

    nights = Nights(untouched, tmp_path / "with", reading={"unenrolled": True})

    more = nights.listed().keys() - enrolled_ones.keys()
    assert len(more) == UNENROLLED
    assert all(nights.listed()[uid]["programs"] == [] for uid in more)
    assert PERSON in nights.plan.windows


def test_events_without_registration_are_slices_of_their_program(
    untouched: Dhis2Client, tmp_path: Path
) -> None:
    nights = Nights(untouched, tmp_path, programs=(HIV, SURVEILLANCE))

    events = {uid: row for uid, row in nights.listed().items() if row["kind"] == "EVENT"}
    assert len(events) == LONE_EVENTS
    assert all(row["programs"] == [SURVEILLANCE] for row in events.values())
    pieces = {piece.slice: piece for piece in nights.plan.slices if piece.program}
    assert {piece.program for piece in pieces.values()} == {SURVEILLANCE}
    assert sum(piece.to_read for piece in pieces.values()) == LONE_EVENTS
    piece = pieces[f"{SURVEILLANCE}-{RUFISQUE}"]
    assert piece.name == "Surveillance épidémiologique COVID-19 · Rufisque"
    assert Counter(row["slice"] for row in events.values())[piece.slice] == piece.to_read


def test_events_outside_the_roots_that_a_refusal_brings_are_a_slice_too(
    untouched: Dhis2Client, tmp_path: Path
) -> None:
    nights = Nights(untouched, tmp_path, programs=(SURVEILLANCE,), org_units=(DAKAR,))
    everywhere = Nights(untouched, tmp_path / "all", programs=(SURVEILLANCE,))
    (outside, *_) = sorted(everywhere.listed().keys() - nights.listed().keys())
    purged = "purgedEvt01"

    nights.knows(Ref("EVENT", outside), Ref("EVENT", purged), outcome=Outcome.REFUSED)
    plan = nights.plan_next()

    found = nights.listed()
    assert found.keys() == {outside, purged}
    assert {row["slice"] for row in found.values()} == {f"{SURVEILLANCE}-elsewhere"}
    assert not any(row["listed"] for row in found.values())
    assert plan.with_open_refusals == 2


@pytest.mark.parametrize(("org_unit", "slice_id"), [("", "elsewhere"), (None, None)])
def test_whoever_no_slice_would_read_stops_the_run(
    org_unit: str | None, slice_id: str | None, tmp_path: Path
) -> None:
    row = {"kind": "TRACKED_ENTITY", "uid": "person00001", "program": "", "org_unit": org_unit}
    read = pa.Table.from_pylist([{**row, "programs": [], "listed": True}], READ)
    workspace = Workspace(tmp_path, "district", "night-1")

    if slice_id is None:
        with pytest.raises(UnexpectedAnswer, match=r"1 without org unit .* person00001"):
            write_listing(workspace, [read], {Origin("", ""): "elsewhere"})
        assert not workspace.listing.exists()
    else:
        write_listing(workspace, [read], {Origin("", ""): slice_id})
        assert pq.read_table(workspace.listing)["slice"].to_pylist() == [slice_id]


def test_an_event_is_asked_for_in_its_own_program_and_left_out_where_the_route_lacks_it(
    tmp_path: Path,
) -> None:
    with running(tmp_path, "from", district=True) as source:
        other = second_surveillance(source)
        nights = Nights(source, tmp_path, programs=(other, SURVEILLANCE))
        purged, away = Ref("EVENT", "purgedEvt01"), Ref("EVENT", "dropped0001")
        nights.knows(purged, outcome=Outcome.REFUSED)
        nights.knows(away, outcome=Outcome.REFUSED, program="dropped0000")

        plan = nights.plan_next()

    found = nights.listed()
    assert away.uid not in found
    assert found[purged.uid]["slice"] == f"{SURVEILLANCE}-elsewhere"
    assert plan.with_open_refusals == 1
    assert open_refusals(state_folder(nights.workspace)) == {
        purged: SURVEILLANCE,
        away: "dropped0000",
    }


def second_surveillance(source: Dhis2Client) -> str:
    """Add a program without registration that comes before the other, and return its UID."""
    program = read(source, "programs", SURVEILLANCE)
    names = {"id": "aSurvProg02", "code": "OTHER", "name": "Other", "shortName": "Other"}
    put(source, "programs", {**program, **names, "programStages": []})
    return names["id"]


def test_there_are_never_more_slices_than_the_route_wants(
    untouched: Dhis2Client, tmp_path: Path
) -> None:
    def count(most: int) -> int:
        terms = {"programs": (HIV, SURVEILLANCE), "slices": Slices(level=4, most=most)}
        return len(Nights(untouched, tmp_path / str(most), **terms).plan.slices)

    assert count(100) > 40
    assert [count(most) <= most for most in (40, 20, 8, 2)] == [True] * 4
    assert count(1) == 2


class TestALaterNight:
    """One whose window holds what a test does, and nothing of the district."""

    def test_reads_a_person_whom_only_an_event_names(
        self, district: Dhis2Client, tmp_path: Path, folder: Path
    ) -> None:
        """As a write by the old API leaves it (tracker-api 2.3)."""
        nights = Nights(district, tmp_path)
        event = {"event": "onlyEvent01", "enrollment": "enrollEvt01", "orgUnit": CLINIC}
        first_dose = {"program": VACCINATION, "programStage": DOSE, "occurredAt": "2026-02-01"}
        send(
            district,
            trackedEntities=[registered("byEventOnly")],
            enrollments=[enrolled("byEventOnly", "enrollEvt01")],
            events=[{**event, **first_dose, "status": "ACTIVE"}],
        )
        rows = {"entity": "byEventOnly", "enrollment": "enrollEvt01"}
        stamp_long_ago(folder / district.name, **rows)

        plan = nights.plan_next()

        row = nights.listed()["byEventOnly"]
        assert (row["programs"], row["slice"]) == ([VACCINATION], RUFISQUE)
        assert (row["enrollments"], row["events"]) == ([], ["onlyEvent01"])
        assert plan.only_from_children == 1

    def test_reads_who_was_registered_without_enrollment_since(
        self, district: Dhis2Client, tmp_path: Path
    ) -> None:
        terms = {"programs": (VACCINATION,), "reading": {"unenrolled": True}}
        nights = Nights(district, tmp_path, **terms)
        send(district, trackedEntities=[registered("noProgram01"), registered("program0001")])
        send(district, enrollments=[enrolled("program0001", "enrollPrg01", program=MATERNAL)])

        nights.plan_next()

        assert nights.listed().keys() == {"noProgram01"}

    def test_goes_on_following_an_unenrolled_person_who_is_enrolled_elsewhere(
        self, district: Dhis2Client, tmp_path: Path
    ) -> None:
        terms = {"programs": (VACCINATION,), "reading": {"unenrolled": True}}
        nights = Nights(district, tmp_path, **terms)
        nights.knows(Ref("TRACKED_ENTITY", "sentOnce001"))
        people = ["sentOnce001", "neverSent01"]
        send(district, trackedEntities=[registered(uid) for uid in people])
        elsewhere = [enrolled(uid, f"enroll{uid[-5:]}", program=MATERNAL) for uid in people]
        send(district, enrollments=elsewhere)

        plan = nights.plan_next()

        assert nights.listed().keys() == {"sentOnce001"}
        assert nights.listed()["sentOnce001"]["programs"] == []
        assert plan.selected_away == 0

    def test_reads_an_event_that_was_deleted(self, district: Dhis2Client, tmp_path: Path) -> None:
        nights = Nights(district, tmp_path, programs=(SURVEILLANCE,))
        (gone, *_) = sorted(nights.listed())

        remove(district, "EVENT", gone)
        nights.plan_next()

        assert nights.listed().keys() == {gone}
        assert nights.listed()[gone]["programs"] == []

    def test_names_the_children_that_lists_named_alive(
        self, district: Dhis2Client, tmp_path: Path
    ) -> None:
        nights = Nights(district, tmp_path, programs=(VACCINATION, MATERNAL))
        send(district, trackedEntities=[registered("children001")])
        kept = enrolled("children001", "enrollChi01")
        other = enrolled("children001", "enrollChi02", program=MATERNAL)
        send(district, enrollments=[kept, other])
        remove(district, "ENROLLMENT", "enrollChi02")

        nights.plan_next()

        row = nights.listed()["children001"]
        assert (row["enrollments"], row["events"]) == (["enrollChi01"], [])

    def test_is_quiet_where_nothing_happened(self, district: Dhis2Client, tmp_path: Path) -> None:
        nights = Nights(district, tmp_path, programs=(HIV, SURVEILLANCE))

        plan = nights.plan_next()

        assert nights.listed() == {}
        assert plan.slices == ()


class TestASelection:
    """It decides who enters; whoever was sent once is followed."""

    def test_lets_in_whom_it_holds_and_follows_whom_it_lets_go(
        self, district: Dhis2Client, tmp_path: Path
    ) -> None:
        women = ProgramSelection(attributes=(IS_F,), enrollment_status="ACTIVE")
        selections = {VACCINATION: women}
        nights = Nights(district, tmp_path, programs=(VACCINATION,), selections=selections)
        people = {"enteringF01": "F", "away0000M01": "M", "followedM01": "M"}
        send(district, trackedEntities=[registered(uid, sex) for uid, sex in people.items()])
        send(district, enrollments=[enrolled(uid, f"enroll{uid[-5:]}") for uid in people])
        nights.knows(Ref("TRACKED_ENTITY", "followedM01"))

        plan = nights.plan_next()

        assert nights.listed().keys() == {"enteringF01", "followedM01"}
        assert plan.selected_away == 1

    def test_drops_the_tombstone_of_who_was_never_sent(
        self, district: Dhis2Client, tmp_path: Path
    ) -> None:
        selections = {VACCINATION: ProgramSelection(enrollment_status="ACTIVE")}
        nights = Nights(district, tmp_path, programs=(VACCINATION,), selections=selections)
        people = ["followed001", "followed002", "stranger001", "stranger002"]
        send(district, trackedEntities=[registered(uid) for uid in people])
        send(district, enrollments=[enrolled(uid, f"enroll{uid[-5:]}") for uid in people])
        nights.knows(*(Ref("TRACKED_ENTITY", uid) for uid in people[:2]))

        remove(district, "TRACKED_ENTITY", "followed001")
        remove(district, "TRACKED_ENTITY", "stranger001")
        remove(district, "ENROLLMENT", "enrolled002")
        remove(district, "ENROLLMENT", "enroller002")
        plan = nights.plan_next()

        assert nights.listed().keys() == {"followed001", "followed002"}
        assert plan.selected_away == 2

    def test_copies_whole_whom_another_program_lets_in(
        self, district: Dhis2Client, tmp_path: Path
    ) -> None:
        selections = {VACCINATION: ProgramSelection(enrollment_status="COMPLETED")}
        nights = Nights(district, tmp_path, programs=(VACCINATION, MATERNAL), selections=selections)
        send(district, trackedEntities=[registered("inBoth00001"), registered("inOne000001")])
        enrollments = [
            enrolled("inBoth00001", "enrollBot01"),
            enrolled("inBoth00001", "enrollBot02", program=MATERNAL),
            enrolled("inOne000001", "enrollOne01"),
        ]
        send(district, enrollments=enrollments)

        plan = nights.plan_next()

        (row,) = nights.listed().values()
        assert (row["uid"], set(row["programs"])) == ("inBoth00001", {VACCINATION, MATERNAL})
        assert plan.selected_away == 1

    def test_by_attributes_is_warned_of_without_their_values(
        self, district: Dhis2Client, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        secret = AttributeCondition(attribute=LAST_NAME, operator="EQ", values=("Niane",))
        selections = {VACCINATION: ProgramSelection(attributes=(secret,))}

        Nights(district, tmp_path, programs=(VACCINATION,), selections=selections)

        assert "reach the source's web logs" in caplog.text
        assert "Niane" not in caplog.text

    def test_does_not_let_anybody_in_as_unenrolled(
        self, district: Dhis2Client, tmp_path: Path
    ) -> None:
        selections = {VACCINATION: ProgramSelection(enrollment_status="COMPLETED")}
        terms = {"programs": (VACCINATION,), "reading": {"unenrolled": True}}
        nights = Nights(district, tmp_path, selections=selections, **terms)
        send(district, trackedEntities=[registered("inVaccine01"), registered("unenroll001")])
        send(district, enrollments=[enrolled("inVaccine01", "enrollVac01")])

        nights.plan_next()

        assert nights.listed().keys() == {"unenroll001"}

    def test_selects_events_without_registration_by_their_days(
        self, district: Dhis2Client, tmp_path: Path
    ) -> None:
        may = ProgramSelection(occurred_from=date(2026, 5, 1), occurred_to=date(2026, 5, 31))
        selections = {SURVEILLANCE: may}
        nights = Nights(district, tmp_path, programs=(SURVEILLANCE,), selections=selections)
        days = {
            "eventInMay1": "2026-05-31",
            "eventInJune": "2026-06-01",
            "followedJun": "2026-06-02",
        }
        send(district, events=[notified(uid, day=day) for uid, day in days.items()])
        nights.knows(Ref("EVENT", "followedJun"))

        plan = nights.plan_next()

        assert nights.listed().keys() == {"eventInMay1", "followedJun"}
        assert plan.selected_away == 1

    @pytest.mark.parametrize(
        ("program", "terms", "message"),
        [
            (HIV, {"event_status": "ACTIVE"}, "together"),
            (HIV, {"attributes": (IS_F,) * 4}, "filters on one attribute"),
            (SURVEILLANCE, {"attributes": (IS_F,)}, "no attributes"),
            (SURVEILLANCE, {"follow_up": False}, "no follow_up"),
        ],
    )
    def test_that_no_server_can_be_asked_for_is_refused_before_anything_is_read(
        self, program: str, terms: Row, message: str, district: Dhis2Client, tmp_path: Path
    ) -> None:
        selections = {program: ProgramSelection(**terms)}

        with pytest.raises(PermanentError, match=rf"`selections.{program}`: .*{message}"):
            Nights(district, tmp_path, programs=(HIV, SURVEILLANCE), selections=selections)
