"""Is data that a model would have refused or lost named before the model is written, or data sent?

Both servers hold the same model; one of them is changed. Where both have the same people as well,
the destination's data may stand against the change.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dhis2_api.client import Dhis2Client
from metadata.grown import (
    ABC,
    FIRST_NAME,
    FOLLOW_UP,
    INITIATION,
    LABORATORY,
    LOAD,
    PHONE,
    REGIMEN,
    REGIMENS,
    add,
    change,
    option_made_anew,
)
from metadata.objects import Fields, ids
from metadata.test_cost import counted
from metadata.twins import ALONE, contents, written_at
from servers import (
    DAKAR,
    HIV,
    OLDEST_AND_NEWEST,
    PERSON,
    SENEGAL,
    SEX,
    Pair,
    grant,
    put,
    read,
    route,
    running,
)
from tracker_sync.codes.of_metadata import METADATA_REMEDIES
from tracker_sync.metadata import MetadataResult, synchronise
from tracker_sync.route import Route


PROGRAM_ROWS, TYPE_ROWS = "programTrackedEntityAttributes", "trackedEntityTypeAttributes"
STAGE_ROWS = "programStageDataElements"
REPORT = "g61vVO04sV8"  # a data element that nobody filled in
LOCAL = "LocalField1"

#: One worker makes the ground that they all begin with.
pytestmark = pytest.mark.xdist_group("dangers")

CHECK = route(programs=(HIV,), metadata="check")
MIRROR = route(programs=(HIV,), metadata_extras="mirror")


def at_source(plural: str, uid: str, **fields: Any) -> Callable[[Pair], None]:
    return lambda pair: change(pair.source, plural, uid, **fields)


def local_attribute(plural: str, uid: str, field: str, **more: Any) -> Callable[[Pair], None]:
    """Return what gives the destination an attribute of its own in a program or type."""

    def make(pair: Pair) -> None:
        local: Fields = {"id": LOCAL, "name": "Village", "shortName": "Village"}
        kind = {"valueType": "TEXT", "aggregationType": "NONE"}
        put(pair.destination, "trackedEntityAttributes", local | kind)
        row = {"trackedEntityAttribute": {"id": LOCAL}, **more}
        add(pair.destination, plural, uid, field, row)

    return make


def local_element(**more: Any) -> Callable[[Pair], None]:
    def make(pair: Pair) -> None:
        local: Fields = {"id": LOCAL, "name": "Note", "shortName": "Note", "valueType": "TEXT"}
        put(
            pair.destination,
            "dataElements",
            local | {"domainType": "TRACKER", "aggregationType": "NONE"},
        )
        row = {"dataElement": {"id": LOCAL}, "sortOrder": 9, **more}
        add(pair.destination, "programStages", FOLLOW_UP, STAGE_ROWS, row)

    return make


def flagged(plural: str, uid: str, field: str, of: str, flag: str) -> Callable[[Pair], None]:
    """Return what sets a flag of the source's row that joins *of*."""

    def make(pair: Pair) -> None:
        rows = read(pair.source, plural, uid)[field]
        assert any(of in str(row) for row in rows)
        new = [row | {flag: True} if of in str(row) else row for row in rows]
        change(pair.source, plural, uid, **{field: new})

    return make


def without(plural: str, uid: str, field: str, of: str) -> Callable[[Pair], None]:
    """Return what takes the row that joins *of*, or is it, from a list of the source's."""

    def make(pair: Pair) -> None:
        rows = read(pair.source, plural, uid)[field]
        kept = [row for row in rows if of not in str(row)]
        assert len(kept) == len(rows) - 1
        change(pair.source, plural, uid, **{field: kept})

    return make


def without_option(option_set: str, code: str) -> Callable[[Pair], None]:
    def make(pair: Pair) -> None:
        held = [option["id"] for option in read(pair.source, "optionSets", option_set)["options"]]
        kept = [uid for uid in held if read(pair.source, "options", uid)["code"] != code]
        assert len(kept) == len(held) - 1
        change(pair.source, "optionSets", option_set, options=ids(*kept))

    return make


def both_of(*made: Callable[[Pair], None]) -> Callable[[Pair], None]:
    def make(pair: Pair) -> None:
        for one in made:
            one(pair)

    return make


def people(server: Dhis2Client, program: str = HIV) -> list[Fields]:
    params = {"program": program, "fields": "trackedEntity,orgUnit", "pageSize": "500"}
    mode = {server.dialect.org_unit_mode: "ACCESSIBLE"}
    answer = server.get("/api/tracker/trackedEntities", params | mode)
    rows = answer.get("trackedEntities") or answer.get("instances")
    assert rows
    return list(rows)


def track(server: Dhis2Client, **params: str) -> Callable[..., None]:
    def send(**objects: list[Fields]) -> None:
        answer = server.post("/api/tracker", objects, {"async": "false", **params})
        assert answer.json()["status"] == "OK"

    return send


@dataclass(frozen=True)
class Danger:
    """A change that data of the destination stands against.

    Attributes:
        make: Makes it.
        code: What it is told as.
        named: What the text names.
        terms: The route.
    """

    make: Callable[[Pair], None]
    code: str
    named: tuple[str, ...]
    terms: Route = ALONE


#: Those that stop a run that writes.
STOPPING = {
    "attribute_becomes_unique_over_duplicates": Danger(
        at_source("trackedEntityAttributes", FIRST_NAME, unique=True),
        "unique_over_duplicates",
        (f"trackedEntityAttributes {FIRST_NAME} (",),
    ),
    "stage_with_several_events_is_repeatable_no_more": Danger(
        at_source("programStages", FOLLOW_UP, repeatable=False),
        "stage_repeats_there",
        (f"programStages {FOLLOW_UP} (",),
    ),
    "mirror_takes_a_chosen_option_of_an_attribute": Danger(
        without_option(SEX, "F"), "extras_with_data", ("options FGYUJQ5e1rA", SEX), MIRROR
    ),
    "mirror_takes_a_chosen_option_of_an_element": Danger(
        without_option(REGIMENS, "ABC_3TC_DTG"), "extras_with_data", (f"options {ABC}",), MIRROR
    ),
    "mirror_takes_a_stage_with_events": Danger(
        without("programs", HIV, "programStages", LABORATORY),
        "extras_with_data",
        (f"programStages {LABORATORY} (of programs {HIV})",),
        MIRROR,
    ),
    "mirror_takes_an_attribute_of_a_program": Danger(
        without("programs", HIV, PROGRAM_ROWS, PHONE),
        "extras_with_data",
        (f"trackedEntityAttributes {PHONE} (of programs {HIV})",),
        MIRROR,
    ),
    "mirror_takes_an_attribute_of_a_type": Danger(
        without("trackedEntityTypes", PERSON, TYPE_ROWS, FIRST_NAME),
        "extras_with_data",
        (f"trackedEntityAttributes {FIRST_NAME} (of trackedEntityTypes {PERSON})",),
        MIRROR,
    ),
    "mirror_takes_an_element": Danger(
        without("programStages", LABORATORY, STAGE_ROWS, LOAD),
        "extras_with_data",
        (f"dataElements {LOAD} (of programStages {LABORATORY})",),
        MIRROR,
    ),
}

#: Those that stop a run that only looks as well: data would be refused as it is.
DEMANDING = {
    "attribute_of_the_program": Danger(
        local_attribute("programs", HIV, PROGRAM_ROWS, mandatory=True),
        "mandatory_only_there",
        (f"programs {HIV} ({LOCAL})",),
    ),
    "attribute_of_the_type": Danger(
        local_attribute("trackedEntityTypes", PERSON, TYPE_ROWS, mandatory=True),
        "mandatory_only_there",
        (f"trackedEntityTypes {PERSON} ({LOCAL})",),
    ),
    "element_of_a_stage": Danger(
        local_element(compulsory=True),
        "mandatory_only_there",
        (f"programStages {FOLLOW_UP} ({LOCAL})",),
    ),
}

#: Those of which only some records may be refused.
WARNING = {
    "attribute_of_the_program_becomes_mandatory": Danger(
        flagged("programs", HIV, PROGRAM_ROWS, PHONE, "mandatory"),
        "mandatory_added",
        (f"programs {HIV} ({PHONE})",),
    ),
    "attribute_of_the_type_becomes_mandatory": Danger(
        flagged("trackedEntityTypes", PERSON, TYPE_ROWS, FIRST_NAME, "mandatory"),
        "mandatory_added",
        (f"trackedEntityTypes {PERSON} ({FIRST_NAME})",),
    ),
    "element_becomes_compulsory": Danger(
        flagged("programStages", LABORATORY, STAGE_ROWS, LOAD, "compulsory"),
        "mandatory_added",
        (f"programStages {LABORATORY} ({LOAD})",),
    ),
    "generated_attribute_gets_a_pattern": Danger(
        at_source("trackedEntityAttributes", PHONE, generated=True, pattern="RANDOM(######)"),
        "pattern_changed",
        (f"trackedEntityAttributes {PHONE} (pattern)",),
    ),
    "option_set_is_put_on_free_text": Danger(
        at_source("trackedEntityAttributes", FIRST_NAME, optionSet={"id": SEX}),
        "option_set_put_on_values",
        (f"trackedEntityAttributes {FIRST_NAME} (optionSet)",),
    ),
    "element_gets_another_option_set": Danger(
        at_source("dataElements", REGIMEN, optionSet={"id": SEX}),
        "option_set_put_on_values",
        (f"dataElements {REGIMEN} (optionSet)",),
    ),
}

OF_DATA = frozenset(code for code in METADATA_REMEDIES if code.islower())


def told(result: MetadataResult) -> dict[str, bool]:
    """Return the dangers to data, each with whether it blocks."""
    return {one.code: one.blocking for one in result.findings if one.code in OF_DATA}


def text_of(result: MetadataResult, code: str) -> str:
    (finding,) = [one for one in result.findings if one.code == code]
    assert METADATA_REMEDIES[code].do_en in finding.remedy
    assert METADATA_REMEDIES[code].do_fr in finding.remedy
    return finding.text


@pytest.mark.parametrize("name", [*STOPPING, *DEMANDING])
def test_data_that_would_be_refused_or_lost_stops_a_run_before_anything_is_written(
    inhabited: Pair, name: str
) -> None:
    danger = (STOPPING | DEMANDING)[name]
    danger.make(inhabited)
    # Something harmless that would be written if it were not for the danger.
    change(inhabited.source, "programStages", INITIATION, description="nouveau")
    before, whole = written_at(inhabited.destination), contents(inhabited.destination)

    result = synchronise(inhabited.source, inhabited.destination, danger.terms)

    assert told(result) == {danger.code: True}
    assert {one.code for one in result.findings if one.blocking} == {danger.code}
    for named in danger.named:
        assert named in text_of(result, danger.code)
    assert result.sent == 0
    assert written_at(inhabited.destination) == before
    assert contents(inhabited.destination) == whole


@pytest.mark.parametrize("name", WARNING)
def test_what_may_have_some_records_refused_is_a_warning_and_goes_through(
    inhabited: Pair, name: str
) -> None:
    danger = WARNING[name]
    danger.make(inhabited)

    result = synchronise(inhabited.source, inhabited.destination, danger.terms)

    assert told(result) == {danger.code: False}
    for named in danger.named:
        assert named in text_of(result, danger.code)
    assert not [one for one in result.findings if one.blocking]
    assert result.sent > 0
    assert told(synchronise(inhabited.source, inhabited.destination, danger.terms)) == {}


@pytest.mark.parametrize("name", [*STOPPING, *WARNING])
def test_without_data_at_the_destination_the_change_goes_through_in_silence(
    both: Pair, name: str
) -> None:
    danger = (STOPPING | WARNING)[name]
    danger.make(both)

    result = synchronise(both.source, both.destination, danger.terms)

    assert told(result) == {}
    assert not [one for one in result.findings if one.blocking]
    assert result.sent > 0
    assert synchronise(both.source, both.destination, danger.terms).sent == 0


@pytest.mark.parametrize("name", [*STOPPING, *WARNING])
def test_a_check_warns_of_what_applying_would_run_into(inhabited: Pair, name: str) -> None:
    danger = (STOPPING | WARNING)[name]
    danger.make(inhabited)
    before = written_at(inhabited.destination)
    terms = danger.terms.model_copy(update={"metadata": "check"})

    result = synchronise(inhabited.source, inhabited.destination, terms)

    assert told(result) == {danger.code: False}
    assert (result.sent, written_at(inhabited.destination)) == (0, before)


@pytest.mark.parametrize("name", DEMANDING)
@pytest.mark.parametrize("extras", ["keep", "mirror"])
def test_a_check_stops_at_what_only_the_destination_demands(
    both: Pair, name: str, extras: str
) -> None:
    danger = DEMANDING[name]
    danger.make(both)

    terms = CHECK.model_copy(update={"metadata_extras": extras})
    result = synchronise(both.source, both.destination, terms)

    assert told(result) == {"mandatory_only_there": True}
    assert danger.named[0] in text_of(result, "mandatory_only_there")


@pytest.mark.parametrize("name", DEMANDING)
def test_a_mirror_takes_the_demand_away(both: Pair, name: str) -> None:
    DEMANDING[name].make(both)

    result = synchronise(both.source, both.destination, MIRROR)

    assert told(result) == {}
    assert result.sent > 0
    assert told(synchronise(both.source, both.destination, CHECK)) == {}


@pytest.mark.parametrize(
    "make",
    [
        local_attribute("programs", HIV, PROGRAM_ROWS),
        local_attribute("trackedEntityTypes", PERSON, TYPE_ROWS),
        local_element(),
    ],
)
def test_what_the_destination_has_of_its_own_and_does_not_demand_is_no_danger(
    inhabited: Pair, make: Callable[[Pair], None]
) -> None:
    make(inhabited)

    for terms in (ALONE, CHECK, MIRROR):
        assert told(synchronise(inhabited.source, inhabited.destination, terms)) == {}


def test_an_attribute_that_the_program_demands_may_be_one_of_the_type(both: Pair) -> None:
    make = both_of(
        without("programs", HIV, PROGRAM_ROWS, FIRST_NAME),
        lambda pair: change(
            pair.destination,
            "programs",
            HIV,
            **{
                PROGRAM_ROWS: [
                    row | {"mandatory": True} if FIRST_NAME in str(row) else row
                    for row in read(pair.destination, "programs", HIV)[PROGRAM_ROWS]
                ]
            },
        ),
    )
    make(both)

    assert told(synchronise(both.source, both.destination, CHECK)) == {}


def test_what_a_mapped_attribute_is_called_there_is_given(both: Pair) -> None:
    local_attribute("programs", HIV, PROGRAM_ROWS, mandatory=True)(both)

    terms = route(programs=(HIV,), mapping={"attributes": {PHONE: LOCAL}})

    assert told(synchronise(both.source, both.destination, terms)) == {}


def test_a_mapped_program_demands_too(both: Pair) -> None:
    other = read(both.destination, "programs", HIV)
    local_attribute("programs", HIV, PROGRAM_ROWS)(both)
    row = {"trackedEntityAttribute": {"id": LOCAL}, "mandatory": True}
    rows = [*other[PROGRAM_ROWS], row]
    mapped = other | {"id": "LocalProgr1", "code": "LOCAL", "name": "Ici", "shortName": "Ici"}
    put(both.destination, "programs", mapped | {"programStages": [], PROGRAM_ROWS: rows})

    terms = route(programs=(HIV,), mapping={"programs": {HIV: "LocalProgr1"}}, metadata="check")
    result = synchronise(both.source, both.destination, terms)

    assert f"programs LocalProgr1 ({LOCAL})" in text_of(result, "mandatory_only_there")


def test_an_attribute_whose_values_all_differ_may_become_unique(inhabited: Pair) -> None:
    assert len(people(inhabited.destination)) > 50
    change(inhabited.source, "trackedEntityAttributes", PHONE, unique=True)

    result = synchronise(inhabited.source, inhabited.destination, ALONE)

    assert (told(result), result.sent) == ({}, 1)
    assert read(inhabited.destination, "trackedEntityAttributes", PHONE)["unique"]


@pytest.mark.parametrize(
    ("units", "scoped", "codes"),
    [
        ((SENEGAL, DAKAR), True, {}),
        ((SENEGAL, DAKAR), False, {"unique_over_duplicates": True}),
        ((DAKAR, DAKAR), True, {"unique_over_duplicates": True}),
    ],
)
def test_what_is_unique_in_an_org_unit_may_stand_twice_in_two(
    both: Pair, units: tuple[str, str], *, scoped: bool, codes: dict[str, bool]
) -> None:
    named = {"attributes": [{"attribute": FIRST_NAME, "value": "Awa"}], "trackedEntityType": PERSON}
    both.destination.forget_session()
    track(both.destination)(
        trackedEntities=[
            {"trackedEntity": f"PersonTwin{number}", "orgUnit": unit, **named}
            for number, unit in enumerate(units)
        ]
    )
    change(both.source, "trackedEntityAttributes", FIRST_NAME, unique=True, orgunitScope=scoped)

    result = synchronise(both.source, both.destination, ALONE)

    assert told(result) == codes
    for code in codes:
        assert "(PersonTwin0 and PersonTwin1)" in text_of(result, code)
        assert "Awa" not in str(result.findings)


@pytest.mark.parametrize(
    ("statuses", "codes"),
    [
        (["ACTIVE"], {}),
        (["ACTIVE", "SKIPPED"], {}),
        (["ACTIVE", "SCHEDULE"], {"stage_repeats_there": True}),
    ],
)
def test_a_stage_may_become_a_single_one_where_nobody_has_two_events_of_it(
    both: Pair, statuses: list[str], codes: dict[str, bool]
) -> None:
    number = {"attribute": "kd7nkrMgEfm", "value": "1"}
    events = [
        {
            "event": f"EventTwins{place}",
            "program": HIV,
            "programStage": FOLLOW_UP,
            "orgUnit": DAKAR,
            "occurredAt": "2026-01-01",
            "scheduledAt": "2026-01-01",
            "status": status,
        }
        for place, status in enumerate(statuses)
    ]
    enrollment = {"enrollment": "EnrollTwin1", "program": HIV, "orgUnit": DAKAR, "status": "ACTIVE"}
    enrollment |= {"enrolledAt": "2026-01-01", "occurredAt": "2026-01-01"}
    person = {"trackedEntity": "PersonTwin1", "trackedEntityType": PERSON, "orgUnit": DAKAR}
    whole = enrollment | {"attributes": [number], "events": events}
    both.destination.forget_session()
    track(both.destination)(trackedEntities=[person | {"enrollments": [whole]}])
    change(both.source, "programStages", FOLLOW_UP, repeatable=False)

    result = synchronise(both.source, both.destination, ALONE)

    assert told(result) == codes
    for code in codes:
        assert "(EnrollTwin1)" in text_of(result, code)


@pytest.mark.parametrize(("code", "used"), [("B:1/2", True), ("C", False)])
def test_an_option_is_found_among_several_in_one_value(
    both: Pair, code: str, *, used: bool
) -> None:
    codes = {"OptionSym01": "A", "OptionSym02": "B:1/2", "OptionSym03": "C"}
    for server in (both.source, both.destination):
        named: Fields = {"id": "SetSymptom1", "name": "Signes", "valueType": "MULTI_TEXT"}
        of_set = {"optionSet": {"id": "SetSymptom1"}}
        kind = {"valueType": "MULTI_TEXT", "aggregationType": "NONE", **of_set}
        options = [{"id": uid, "code": text, "name": text, **of_set} for uid, text in codes.items()]
        server.post("/api/metadata", {"optionSets": [named], "options": options})
        signs: Fields = {"id": LOCAL, "name": "Signes", "shortName": "Signes"}
        put(server, "trackedEntityAttributes", signs | kind)
        add(server, "programs", HIV, PROGRAM_ROWS, {"trackedEntityAttribute": {"id": LOCAL}})
    both.destination.forget_session()
    number = {"attribute": "kd7nkrMgEfm", "value": "1"}
    chosen = {"attribute": LOCAL, "value": "A,B:1/2"}
    enrollment = {"enrollment": "EnrollTwin1", "program": HIV, "orgUnit": DAKAR, "status": "ACTIVE"}
    enrollment |= {"enrolledAt": "2026-01-01", "occurredAt": "2026-01-01"}
    person = {"trackedEntity": "PersonTwin1", "trackedEntityType": PERSON, "orgUnit": DAKAR}
    whole = enrollment | {"attributes": [number, chosen]}
    track(both.destination)(trackedEntities=[person | {"enrollments": [whole]}])
    without_option("SetSymptom1", code)(both)

    result = synchronise(both.source, both.destination, MIRROR)

    assert told(result) == ({"extras_with_data": True} if used else {})


def nobodys_option(pair: Pair) -> None:
    """Give the destination an option that nobody chose."""
    new = {"id": "OptionNew01", "code": "NEW", "name": "Nouveau", "optionSet": {"id": REGIMENS}}
    put(pair.destination, "options", new)


@pytest.mark.parametrize(
    "make",
    [
        nobodys_option,
        option_made_anew(ABC),
        without("programStages", LABORATORY, STAGE_ROWS, REPORT),
        local_attribute("programs", HIV, PROGRAM_ROWS),
        local_element(),
    ],
)
def test_a_mirror_takes_away_what_no_data_uses(
    inhabited: Pair, make: Callable[[Pair], None]
) -> None:
    make(inhabited)

    result = synchronise(inhabited.source, inhabited.destination, MIRROR)

    assert told(result) == {}
    assert "extras_removed" in {one.code for one in result.findings}
    assert result.sent > 0
    assert synchronise(inhabited.source, inhabited.destination, MIRROR).difference.gone == ()


@pytest.mark.parametrize("name", STOPPING)
def test_data_that_the_account_may_not_look_for_stops_too(both: Pair, name: str) -> None:
    danger = STOPPING[name]
    danger.make(both)
    grant(both.destination)
    both.destination.forget_session()

    result = synchronise(both.source, both.destination, danger.terms)

    assert (told(result), result.sent) == ({danger.code: True}, 0)


@pytest.mark.parametrize("version", OLDEST_AND_NEWEST)
@pytest.mark.parametrize("name", [*STOPPING, *WARNING])
def test_every_version_is_asked_for_its_data_in_its_own_dialect(
    tmp_path: Path, version: str, name: str
) -> None:
    danger = (STOPPING | WARNING)[name]
    with (
        running(tmp_path, "from", district=True, version=version) as source,
        running(tmp_path, "to", district=True, version=version) as destination,
    ):
        pair = Pair(source, destination)
        danger.make(pair)

        result = synchronise(source, destination, danger.terms)

        assert told(result) == {danger.code: name in STOPPING}
        assert "not shown" not in text_of(result, danger.code)


def test_a_change_that_concerns_no_data_has_no_data_looked_for(
    inhabited: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(inhabited.source, "programs", HIV, name="VIH, suite")
    change(inhabited.source, "trackedEntityAttributes", PHONE, description="nouveau")
    local_element()(inhabited)

    with counted(monkeypatch) as sent:
        result = synchronise(inhabited.source, inhabited.destination, ALONE)

    assert result.sent == 2
    assert [one for one in sent if "/api/tracker" in one] == []


def test_there_are_many_dangers_to_data() -> None:
    assert len(STOPPING) + len(DEMANDING) + len(WARNING) >= 17
    codes = {danger.code for danger in (STOPPING | DEMANDING | WARNING).values()}
    assert codes == OF_DATA
