"""Each dialect asks what a real server of its version was asked, and reads what that answered."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from client.replay import VERSIONS, recorded, replaying
from dhis2_api.client import Dhis2Client
from dhis2_api.dialects import DIALECTS, dialect_of
from dhis2_api.errors import (
    PermanentError,
    Unauthorized,
    UnexpectedAnswer,
    UnsupportedVersion,
)
from dhis2_api.export import Listing, by_uid, listing_requests
from dhis2_api.fields import PERSON_FIELDS, UID_KEYS, Listed
from dhis2_api.json_pages import parse_rows
from dhis2_api.legacy import read_legacy_list
from dhis2_api.paging import Page, envelope_of
from dhis2_api.reading import as_newest, each_row, read_by_uid, read_list, read_relationships
from dhis2_api.selection import Filter, Operator, Selection
from scripted_server import Reply, Request, as_json, scripted
from tracker_sync.staging.arrow_json import parse_page
from tracker_sync.staging.tables import PERSON_ROW


HIV, SURVEILLANCE, STAGE = "xsd8pFBm2w1", "fAw4hObwxfo", "KGOrZAOCozP"
PERSON, SENEGAL = "Xzm8JdvcK5r", "GwTj6qZdrlX"
THREE = ("RPIeQRab7JG", "PosC0ZL4tPc", "si58L1Z59u5")
SEX, NAME, BORN = "zzlC4ArMYGX", "XlaUz6AYQa9", "e6bl9NqfY2M"
UTC_ZONE = ZoneInfo("Etc/UTC")
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)

OLD, NEW = VERSIONS[:2], VERSIONS[2:]


def listing(**terms: Any) -> Listing:
    given = {
        "kind": "trackedEntities",
        "program": HIV,
        "org_units": (SENEGAL,),
        "updated_after": None,
        "page_size": 100,
        "fields": "*",
    }
    return Listing(**(given | terms))


def by(*filters: Filter) -> Listing:
    return listing(selection=Selection(filters=filters))


LISTS = {
    "export-te-page-1": listing(),
    "export-te-filter-eq": by(Filter(SEX, "EQ", ("F",))),
    "export-te-filter-like": by(Filter(NAME, "LIKE", ("Di",))),
    "export-te-filter-in": by(Filter(SEX, "IN", ("F", "M"))),
    "export-te-filter-ge": by(Filter(BORN, "GE", ("2000-01-01",))),
    "export-te-status": listing(selection=Selection(enrollment_status="COMPLETED")),
    "export-te-follow-up": listing(selection=Selection(follow_up=True)),
    "export-te-selected": listing(org_units=THREE, mode="SELECTED"),
    "export-te-accessible": listing(org_units=(), mode="ACCESSIBLE"),
    "export-te-all-mode": listing(org_units=(), mode="ALL"),
    "export-by-type-admin": listing(program="", tracked_entity_type=PERSON),
    "export-enrollments": listing(kind="enrollments"),
    "export-events": listing(kind="events"),
    "export-events-of-a-stage": listing(kind="events", selection=Selection(program_stage=STAGE)),
    "export-single-events": listing(kind="events", program=SURVEILLANCE),
}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_asked_for_as_a_real_server_was(version: str, name: str) -> None:
    expected = recorded(version)[name].rows()
    assert expected

    kind = LISTS[name].kind
    (asked,) = listing_requests(LISTS[name], dialect_of(version))
    with replaying(version, name) as (client, server):
        rows = list(each_row(client, asked, UID_KEYS[kind]))

    assert uids(rows) == uids(expected)
    lists = [request.query for request in server.requests if request.path == asked.path]
    assert all("nextPage" not in query for query in lists)
    counted = ["totalPages" in query for query in lists]
    assert counted == ([True, True] if version in OLD else [False])


def uids(rows: list[dict[str, Any]]) -> list[str]:
    keys = ("event", "enrollment", "trackedEntity", "relationship", "trackedEntityInstance")
    return [next(row[key] for key in keys if key in row) for row in rows]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("kind", "where"),
    [
        ("trackedEntities", "list-te-updated-large-page"),
        ("enrollments", "list-enrollments-updated"),
        ("events", "list-events-updated"),
    ],
)
def test_a_lower_bound_is_sent_in_utc_and_an_order_only_where_it_works(
    version: str, kind: Listed, where: str
) -> None:
    dialect = dialect_of(version)
    real = recorded(version)[where]

    (asked,) = listing_requests(listing(kind=kind, updated_after=LONG_AGO), dialect)

    works = real.status == 200
    assert asked.params["updatedAfter"] == "2020-01-01T00:00:00.000Z"
    assert asked.params.get("order") == ("createdAt:asc" if works else None)
    assert asked.path == real.path
    assert {k: v for k, v in asked.params.items() if "rg" in k or k == "ouMode"} == {
        k: v for k, v in real.params.items() if "rg" in k or k == "ouMode"
    }


@pytest.mark.parametrize("version", VERSIONS)
def test_deleted_people_are_listed_by_type_only_where_that_is_no_sql_error(version: str) -> None:
    by_type = listing(program="", tracked_entity_type=PERSON)

    (asked,) = listing_requests(by_type, dialect_of(version))
    (of_program,) = listing_requests(listing(), dialect_of(version))

    fails = version in {"2.40.9", "2.42.4"}
    assert asked.params["includeDeleted"] == ("false" if fails else "true")
    assert of_program.params["includeDeleted"] == "true"


@pytest.mark.parametrize("version", VERSIONS)
def test_no_list_has_an_upper_bound_or_an_order_that_edits_change(version: str) -> None:
    kinds: tuple[Listed, ...] = ("trackedEntities", "enrollments", "events")

    for kind in kinds:
        for asked in listing_requests(
            listing(kind=kind, updated_after=LONG_AGO), dialect_of(version)
        ):
            assert not {"updatedBefore", "updatedWithin"} & asked.params.keys()
            assert "updatedAt" not in str(asked.params.get("order"))


@pytest.mark.parametrize("version", VERSIONS)
def test_people_are_read_by_uid(version: str) -> None:
    name = "export-te-by-uid-list-no-program"
    expected = recorded(version)[name].rows()
    asked = ["tIazUHAG6ZW", "mGPEjOa9jIO", "RnnSGUz2gGn"]

    with replaying(version, name) as (client, _):
        rows = list(read_by_uid(client, "trackedEntities", asked, "*"))

    assert sorted(uids(rows)) == sorted(uids(expected)) == sorted(asked)


def test_enrollments_and_events_by_uid_need_their_program_on_the_newest_only() -> None:
    for dialect in DIALECTS.values():
        for kind in ("enrollments", "events"):
            with_program = by_uid(dialect, kind, ["a"], "*", HIV)
            assert with_program.params["program"] == HIV
            if dialect.version == "2.43":
                with pytest.raises(PermanentError, match="name it"):
                    by_uid(dialect, kind, ["a"], "*")
            else:
                assert "program" not in by_uid(dialect, kind, ["a"], "*").params


@pytest.mark.parametrize("version", VERSIONS)
def test_relationships_are_read_with_their_ends_named(version: str) -> None:
    name = "export-relationships-of-a-te"

    with replaying(version, name) as (client, server):
        rows = list(read_relationships(client, "trackedEntity", "g2mJRhGpsZs"))

    assert uids(rows) == uids(recorded(version)[name].rows())
    assert "includeDeleted" not in server.requests[-1].query
    assert "from[trackedEntity[trackedEntity]" in server.requests[-1].query["fields"]


@pytest.mark.parametrize("version", VERSIONS)
def test_rows_are_spelled_alike_whatever_the_version(version: str) -> None:
    with replaying(version, "export-events") as (client, _):
        events = list(read_list(client, listing(kind="events"), UTC_ZONE))

    person = {"trackedEntity": "a", "enrollments": [{"events": [dict(events[0], followup=True)]}]}
    (nested,) = as_newest(person, dialect_of(version))["enrollments"][0]["events"]
    assert len(events) == 3
    for event in [*events, nested]:
        assert "followUp" in event
        assert "followup" not in event


@pytest.mark.parametrize("version", VERSIONS)
def test_arrow_reads_the_same_people_as_json(version: str) -> None:
    exchange = recorded(version)["export-full-HIV-1"]
    envelope = envelope_of(dialect_of(version), "trackedEntities")
    body = exchange.reply.body

    columns = parse_page(body, envelope, PERSON_ROW, what="test")
    objects = parse_rows(body, envelope, "trackedEntity", "test")

    assert len(objects.rows) == 3
    assert columns.number == objects.number == 1
    assert [row["trackedEntity"] for row in columns.rows.to_pylist()] == uids(objects.rows)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_count_is_read_where_pages_are_counted(version: str) -> None:
    exchange = recorded(version)["export-te-total-pages"]
    envelope = envelope_of(dialect_of(version), "trackedEntities")

    page = parse_rows(exchange.reply.body, envelope, "trackedEntity", "test")

    assert page.pages == 3
    assert page.goes_on == (version in NEW)


@pytest.mark.parametrize("version", VERSIONS)
def test_an_answer_of_another_version_is_never_an_empty_list(version: str) -> None:
    others = [other for other in VERSIONS if dialect_of(other).rows != dialect_of(version).rows]

    for other in others:
        body = recorded(other)["export-te-page-4-beyond"].reply.body
        envelope = envelope_of(dialect_of(version), "trackedEntities")
        with pytest.raises(UnexpectedAnswer):
            parse_rows(body, envelope, "trackedEntity", "test")
        with pytest.raises(UnexpectedAnswer):
            parse_page(body, envelope, PERSON_ROW, what="test")


@pytest.mark.parametrize("version", VERSIONS)
def test_an_org_unit_outside_the_scope_is_a_matter_of_rights(version: str) -> None:
    with replaying(version, "limited-export-outside-scope") as (client, _):
        with pytest.raises(Unauthorized, match="E1006"):
            list(read_list(client, listing(), UTC_ZONE))


@pytest.mark.parametrize("version", OLD)
@pytest.mark.parametrize(
    ("name", "terms"),
    [
        ("legacy-teis", listing()),
        ("legacy-teis-filter", by(Filter(SEX, "EQ", ("F",)))),
        ("legacy-enrollments", listing(kind="enrollments")),
        ("legacy-events", listing(kind="events", program=SURVEILLANCE)),
    ],
)
def test_the_legacy_lists_give_the_same_model(version: str, name: str, terms: Listing) -> None:
    expected = recorded(version)[name].rows()

    with replaying(version, name) as (client, _):
        rows = list(read_legacy_list(client, terms, UTC_ZONE))

    assert uids(rows) == uids(expected)
    assert rows
    keys = {key for row in rows for key in _keys(row)}
    assert not keys & {"trackedEntityInstance", "lastUpdated", "created", "eventDate", "followup"}


def _keys(value: Any) -> set[str]:
    if isinstance(value, list):
        return {key for item in value for key in _keys(item)}
    if not isinstance(value, dict):
        return set()
    return set(value) | {key for item in value.values() for key in _keys(item)}


@pytest.mark.parametrize("version", OLD)
def test_a_legacy_person_says_what_the_newest_version_says(version: str) -> None:
    new = recorded(version)["export-te-by-uid-list"].rows()

    with replaying(version, "legacy-teis") as (client, _):
        rows = {row["trackedEntity"]: row for row in read_legacy_list(client, listing(), UTC_ZONE)}

    both = [(row, rows[row["trackedEntity"]]) for row in new if row["trackedEntity"] in rows]
    assert both
    for modern, legacy in both:
        (enrollment, *_), (same, *_) = modern["enrollments"], legacy["enrollments"]
        for key in ("enrollment", "status", "orgUnit"):
            assert enrollment[key] == same[key]
        assert {"enrolledAt", "occurredAt", "followUp"} <= same.keys()
        assert modern["programOwners"][0]["orgUnit"] == legacy["programOwners"][0]["orgUnit"]
    events = [e for row in rows.values() for child in row["enrollments"] for e in child["events"]]
    places = [row["geometry"] for row in rows.values() if "geometry" in row]
    assert any({"occurredAt", "scheduledAt", "dataValues"} <= event.keys() for event in events)
    assert any(place["coordinates"] for place in places)


@pytest.mark.parametrize("version", OLD)
@pytest.mark.parametrize("kind", ["trackedEntities", "enrollments", "events"])
def test_a_legacy_list_of_a_whole_scope_is_asked_for_and_not_empty(
    version: str, kind: Listed
) -> None:
    name = LEGACY_NAMES[kind]
    row = {LEGACY_UIDS[kind]: "a", "lastUpdated": "2026-01-01T00:00:00.000", "deleted": False}

    def script(request: Request) -> Reply:
        if request.path == "/api/system/info":
            return as_json({"version": version})
        number = int(request.query["page"])
        pager = {"page": number, "pageCount": 1, "isLastPage": True}
        return as_json({"pager": pager, name: [row] if number == 1 else []})

    with scripted(script) as server, Dhis2Client(server.url) as client:
        terms = listing(kind=kind, org_units=(), mode="ALL", fields="")
        rows = list(read_legacy_list(client, terms, UTC_ZONE))

    assert len(rows) == 1
    assert {r.path for r in server.requests[1:]} == {f"/api/{name}"}
    assert all(r.query["ouMode"] == "ALL" for r in server.requests[1:])
    assert not any({"ou", "orgUnit"} & r.query.keys() for r in server.requests)


LEGACY_NAMES = {"trackedEntities": "trackedEntityInstances"}
LEGACY_NAMES |= {"enrollments": "enrollments", "events": "events"}
LEGACY_UIDS = {"trackedEntities": "trackedEntityInstance"}
LEGACY_UIDS |= {"enrollments": "enrollment", "events": "event"}


@pytest.mark.parametrize("version", NEW)
def test_the_legacy_lists_are_not_asked_where_there_are_none(version: str) -> None:
    with replaying(version) as (client, server):
        with pytest.raises(UnsupportedVersion, match="/api/tracker"):
            list(read_legacy_list(client, listing(), UTC_ZONE))

    assert len(server.requests) == 1


REFUSED: dict[str, Listing] = {
    "neither program nor type": listing(program=""),
    "both": listing(tracked_entity_type=PERSON),
    "events by type": listing(kind="events", program="", tracked_entity_type=PERSON),
    "no org unit": listing(org_units=()),
    "org units and a scope": listing(mode="ALL"),
    "enrollments by attribute": listing(
        kind="enrollments", selection=Selection(filters=(Filter(SEX, "EQ", ("F",)),))
    ),
    "people by an event's status alone": listing(selection=Selection(event_status="ACTIVE")),
    "many operators": by(*[Filter(BORN, "NE", (str(year),)) for year in range(1990, 1994)]),
    "no value": by(Filter(SEX, "EQ", ())),
    "a value that cannot be said": by(Filter(SEX, "IN", ("secret;F",))),
}


@pytest.mark.parametrize("terms", REFUSED.values(), ids=REFUSED.keys())
@pytest.mark.parametrize("version", VERSIONS)
def test_what_a_server_would_ignore_or_refuse_is_never_sent(version: str, terms: Listing) -> None:
    with pytest.raises(PermanentError) as error:
        list(listing_requests(terms, dialect_of(version)))

    assert "secret" not in str(error.value) + repr(terms)


@pytest.mark.parametrize("values", [(), ("a", "b"), ("secret;F",)])
def test_a_legacy_filter_is_refused_where_it_would_mean_something_else(
    values: tuple[str, ...],
) -> None:
    operator: Operator = "EQ" if len(values) > 1 else "IN"

    with replaying("2.40.9") as (client, server):
        with pytest.raises(PermanentError, match=SEX) as error:
            list(read_legacy_list(client, by(Filter(SEX, operator, values)), UTC_ZONE))

    assert "secret" not in str(error.value)
    assert len(server.requests) == 1


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_asked_and_answered_shows_no_value(version: str) -> None:
    terms = by(Filter(NAME, "EQ", ("secret",)))

    (asked,) = listing_requests(terms, dialect_of(version))
    page = Page(1, [{"trackedEntity": "a", "attributes": [{"value": "secret"}]}])

    assert "secret" in str(asked.params)
    assert "secret" not in repr(asked) + repr(page) + repr(terms)


@pytest.mark.parametrize("version", VERSIONS)
def test_events_are_selected_by_status_and_days(version: str) -> None:
    days = (date(2026, 1, 1), date(2026, 1, 31))
    selection = Selection(event_status="ACTIVE", occurred=days, enrollment_status="ACTIVE")

    (people,) = listing_requests(listing(selection=selection), dialect_of(version))
    (events,) = listing_requests(listing(kind="events", selection=selection), dialect_of(version))
    status = "programStatus" if version in OLD else "enrollmentStatus"

    assert people.params["eventOccurredAfter"] == events.params["occurredAfter"] == "2026-01-01"
    assert people.params["eventOccurredBefore"] == events.params["occurredBefore"] == "2026-01-31"
    assert people.params["eventStatus"] == events.params["status"] == "ACTIVE"
    assert people.params[status] == events.params[status] == "ACTIVE"


def test_a_filter_value_may_hold_what_separates_filters() -> None:
    filters = (
        Filter(BORN, "GE", ("10:30",)),
        Filter(NAME, "EQ", ("a,b/c",)),
        Filter(BORN, "LT", ("z",)),
    )

    (asked,) = listing_requests(by(*filters), dialect_of("2.41.8"))

    assert asked.params["filter"] == f"{BORN}:GE:10/:30:LT:z,{NAME}:EQ:a/,b//c"


IGNORED: dict[str, tuple[Listing, dict[str, Any]]] = {
    "the lower bound": (
        listing(updated_after=datetime(2026, 1, 1, tzinfo=UTC)),
        {"trackedEntity": "a", "updatedAt": "2025-12-31T23:59:59.000"},
    ),
    "the fields": (listing(fields=""), {"orgUnit": "a"}),
}


@pytest.mark.parametrize(("terms", "row"), IGNORED.values(), ids=IGNORED.keys())
def test_a_server_that_ignored_a_parameter_is_found_out_by_its_first_page(
    terms: Listing, row: dict[str, Any]
) -> None:
    page = {"pager": {"page": 1, "nextPage": "more"}, terms.kind: [row]}
    answers = {"/api/system/info": as_json({"version": "2.42.4"})}

    with scripted(lambda request: answers.get(request.path, as_json(page))) as server:
        with Dhis2Client(server.url) as client, pytest.raises(UnexpectedAnswer):
            list(read_list(client, terms, UTC_ZONE))

    assert len(server.requests) == 2


@pytest.mark.parametrize("version", VERSIONS)
def test_a_run_asks_for_named_fields_and_never_for_relationships(version: str) -> None:
    dialect = dialect_of(version)

    (listed,) = listing_requests(listing(fields=""), dialect)
    whole = by_uid(dialect, "trackedEntities", THREE, PERSON_FIELDS)

    assert len(str(listed.params["fields"]).split(",")) == 4
    assert "enrollments[" in str(whole.params["fields"])
    for asked in (listed, whole):
        assert not {"*", "relationships"} & set(re.findall(r"\*|\w+", str(asked.params["fields"])))
