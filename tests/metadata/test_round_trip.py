"""Does a server give back what it was sent, of whatever program?"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from dhis2_api.client import Dhis2Client
from metadata.objects import Fields, ids
from servers import DAKAR, SENEGAL, running
from tracker_sync.metadata.canonical import canonical, content_hash
from tracker_sync.metadata.merging import new
from tracker_sync.metadata.sides import Sides
from tracker_sync.metadata.versions import known_part, unknown_to


VERSIONS = ("2.40.9", "2.41.8", "2.42.4", "2.43.1")
EXAMPLES = 300 if os.environ.get("HYPOTHESIS_PROFILE") == "deep" else 15

TEXT = st.text("abcéèñ Ж漢'\"&,;:[]{}()", min_size=1, max_size=20).map(str.strip).filter(bool)
#: What may be said or not: a server shows what was not said as its default, or not at all.
MAYBE = st.none() | TEXT
FLAG = st.none() | st.booleans()
COUNT = st.none() | st.integers(0, 40)
TRANSLATIONS = st.lists(
    st.fixed_dictionaries(
        {"locale": st.sampled_from(["fr", "en", "pt"]), "property": st.just("NAME"), "value": TEXT}
    ),
    max_size=2,
    unique_by=lambda one: one["locale"],
)
COMBO = st.sampled_from([None, {"id": "bjDvmb4bfuf"}])
STYLE = st.none() | st.fixed_dictionaries({"color": st.just("#ff0000"), "icon": TEXT})
FEATURE = st.sampled_from([None, "NONE", "POINT", "POLYGON"])
VALUE_TYPE = st.sampled_from(["TEXT", "NUMBER", "DATE", "BOOLEAN", "ORGANISATION_UNIT"])

PROGRAM = {
    "description": MAYBE,
    "enrollmentDateLabel": MAYBE,
    "enrollmentLabel": MAYBE,
    "displayIncidentDate": FLAG,
    "onlyEnrollOnce": FLAG,
    "selectEnrollmentDatesInFuture": FLAG,
    "skipOffline": FLAG,
    "enableChangeLog": FLAG,
    "expiryDays": COUNT,
    "minAttributesRequiredToSearch": COUNT,
    "maxTeiCountToReturn": COUNT,
    "accessLevel": st.sampled_from([None, "OPEN", "AUDITED", "PROTECTED", "CLOSED"]),
    "featureType": FEATURE,
    "categoryCombo": COMBO,
    "enrollmentCategoryCombo": COMBO,
    "style": STYLE,
    "translations": TRANSLATIONS,
}
STAGE = {
    "description": MAYBE,
    "eventLabel": MAYBE,
    "autoGenerateEvent": FLAG,
    "displayGenerateEventBox": FLAG,
    "repeatable": FLAG,
    "enableUserAssignment": FLAG,
    "minDaysFromStart": COUNT,
    "validationStrategy": st.sampled_from([None, "ON_COMPLETE", "ON_UPDATE_AND_INSERT"]),
    "featureType": FEATURE,
    "translations": TRANSLATIONS,
}
ELEMENT = {"description": MAYBE, "formName": MAYBE, "zeroIsSignificant": FLAG, "style": STYLE}
ATTRIBUTE = {
    "description": MAYBE,
    "unique": FLAG,
    "confidential": FLAG,
    "pattern": st.sampled_from([None, "", "RANDOM(####)"]),
    "minCharactersToSearch": COUNT,
}
ROW = {"mandatory": FLAG, "searchable": FLAG, "displayInList": FLAG, "allowFutureDate": FLAG}
#: What only the rows of a program have.
_NOT_OF_A_TYPE = frozenset({"allowFutureDate", "sortOrder"})
STAGE_ROW = {"compulsory": FLAG, "allowFutureDate": FLAG, "displayInReports": FLAG}


#: A server keeps what earlier examples sent, so no UID may come twice.
NUMBERS = count(1)


class Maker:
    """Makes up a program, object by object."""

    def __init__(self, data: st.DataObject) -> None:
        self._data = data

    def one(self, strategy: st.SearchStrategy[Any]) -> Any:
        return self._data.draw(strategy)

    def uid(self) -> str:
        return f"p{next(NUMBERS):010d}"

    def made(self, of: dict[str, st.SearchStrategy[Any]], **fields: Any) -> Fields:
        said = {name: self.one(strategy) for name, strategy in of.items()}
        present = {name: value for name, value in said.items() if value is not None}
        return {**present, **fields}

    def named(self, of: dict[str, st.SearchStrategy[Any]], **fields: Any) -> Fields:
        uid = self.uid()
        names = {"id": uid, "name": f"{self.one(TEXT)} {uid}", "shortName": f"n {uid}"}
        sharing = {"public": self.one(st.sampled_from(["rw------", "r-------", "--------"]))}
        return self.made(of, **names, sharing=sharing, **fields)

    def several(self, most: int) -> range:
        return range(self.one(st.integers(1, most)))


def made_up(data: st.DataObject) -> dict[str, list[Fields]]:
    """Return a program with all it is made of."""
    make = Maker(data)
    option_sets, options = some_options(make)
    attributes = [attribute(make, option_sets) for _ in make.several(3)]
    elements = [element(make, option_sets) for _ in make.several(4)]
    elements[0] |= {"valueType": "TEXT", "optionSet": {"id": option_sets[0]["id"]}}
    of_kind = [
        {name: value for name, value in row.items() if name not in _NOT_OF_A_TYPE}
        for row in rows(make, ROW, attributes)
    ]
    kind = make.named({}, trackedEntityTypeAttributes=of_kind)
    program = make.named(
        PROGRAM,
        programType="WITH_REGISTRATION",
        trackedEntityType={"id": kind["id"]},
        programTrackedEntityAttributes=rows(make, ROW, attributes),
        organisationUnits=ids(*make.one(st.sampled_from([[], [SENEGAL], [DAKAR, SENEGAL]]))),
    )
    stages = [stage(make, program["id"], elements) for _ in make.several(2)]
    program["programStages"] = ids(*(one["id"] for one in stages))
    return {
        "optionSets": option_sets,
        "options": options,
        "trackedEntityAttributes": attributes,
        "dataElements": elements,
        "trackedEntityTypes": [kind],
        "programStages": stages,
        "programs": [program],
        **some_rules(make, program["id"], elements),
    }


def some_options(make: Maker) -> tuple[list[Fields], list[Fields]]:
    uid = make.uid()
    options: list[dict[str, Any]] = [
        {
            "id": make.uid(),
            "name": f"{make.one(TEXT)} {rank}",
            "code": f"O{rank}",
            "sortOrder": rank,
        }
        for rank in range(1, 1 + make.one(st.integers(1, 3)))
    ]
    held = [option | {"optionSet": {"id": uid}} for option in options]
    listed = ids(*(option["id"] for option in options))
    fields: dict[str, Any] = {
        "id": uid,
        "name": f"set {uid}",
        "valueType": "TEXT",
        "options": listed,
    }
    fields |= {"sharing": {"public": "rw------"}}
    return [make.made({"translations": TRANSLATIONS}, **fields)], held


def valued(make: Maker, option_sets: list[Fields]) -> Fields:
    if make.one(st.booleans()):
        return {"valueType": "TEXT", "optionSet": {"id": option_sets[0]["id"]}}
    return {"valueType": make.one(VALUE_TYPE)}


def attribute(make: Maker, option_sets: list[Fields]) -> Fields:
    return make.named(ATTRIBUTE, aggregationType="NONE", **valued(make, option_sets))


def element(make: Maker, option_sets: list[Fields]) -> Fields:
    own = {"domainType": "TRACKER", "aggregationType": "NONE"}
    return make.named(ELEMENT, **own, **valued(make, option_sets))


def rows(
    make: Maker, of: dict[str, st.SearchStrategy[Any]], attributes: list[Fields]
) -> list[Fields]:
    held = make.one(st.permutations(attributes))
    return [
        make.made(of, trackedEntityAttribute={"id": one["id"]}, sortOrder=rank)
        for rank, one in enumerate(held, start=1)
    ]


def stage(make: Maker, program: str, elements: list[Fields]) -> Fields:
    held = make.one(st.permutations(elements))
    joined = [
        make.made(STAGE_ROW, dataElement={"id": one["id"]}, sortOrder=rank)
        for rank, one in enumerate(held, start=1)
    ]
    fields = make.named(STAGE, program={"id": program}, programStageDataElements=joined)
    return {name: value for name, value in fields.items() if name != "shortName"}


def some_rules(make: Maker, program: str, elements: list[Fields]) -> dict[str, list[Fields]]:
    uid, action, variable = make.uid(), make.uid(), make.uid()
    of = {"program": {"id": program}}
    held = {"id": elements[0]["id"]}
    source = {"programRuleVariableSourceType": "DATAELEMENT_NEWEST_EVENT_PROGRAM"}
    one = {"id": variable, "name": f"v{variable}", "dataElement": held, **of, **source}
    rule = {"id": uid, "name": make.one(TEXT), "condition": make.one(TEXT), **of}
    does = {"id": action, "programRule": {"id": uid}, "programRuleActionType": "HIDEFIELD"}
    return {
        "programRuleVariables": [make.made({"useCodeForOptionSet": FLAG}, **one)],
        "programRuleActions": [does | {"dataElement": held}],
        "programRules": [make.made({"priority": COUNT}, **rule, programRuleActions=ids(action))],
    }


@pytest.fixture(scope="module", params=VERSIONS)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Dhis2Client]:
    folder = tmp_path_factory.mktemp("server")
    with running(folder, "to", district=True, version=request.param) as client:
        yield client


@settings(max_examples=EXAMPLES, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_a_server_exports_is_what_it_was_sent(
    server: Dhis2Client, data: st.DataObject
) -> None:
    sides = Sides("2.43", server.dialect.version)
    sent = {
        plural: [new(plural, fields, sides) for fields in objects]
        for plural, objects in made_up(data).items()
    }

    server.post("/api/metadata", sent)
    (program,) = sent["programs"]
    back = server.get(f"/api/programs/{program['id']}/metadata")

    for plural, objects in sent.items():
        exported = {fields["id"]: fields for fields in back[plural]}
        for fields in objects:
            ours, theirs = canonical(plural, fields), canonical(plural, exported[fields["id"]])
            unknown = unknown_to(server.dialect.version)
            assert known_part(plural, ours, unknown) == known_part(plural, theirs, unknown)
            assert content_hash(ours) == content_hash(theirs)
