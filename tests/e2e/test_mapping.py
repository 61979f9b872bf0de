"""A whole run to a server that has org units and a data element under UIDs of its own."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from dhis2_api.client import Dhis2Client
from dhis2_api.export import Listing
from dhis2_api.reading import read_list
from e2e.sync import ROUTE, Sync
from servers import DAKAR, HIV, SENEGAL, Pair, copied, stamps


WEIGHT = "ol1WpmrN6NG"
ROOT, REGION, ELEMENT = "ThereRoot01", "ThereDakar1", "ThereElem01"
NAMES = f"""\
table,source,destination,option_set
org_units,{DAKAR},{REGION},
data_elements,{WEIGHT},{ELEMENT},
"""
MAPPING = f"""\
mapping:
  file: district.csv
  org_units: {{{SENEGAL}: {ROOT}}}
"""


def test_people_and_cases_arrive_below_the_destinations_own_org_units_and_once(sync: Sync) -> None:
    pair = Pair(sync.source, sync.destination)
    copied(pair, "organisationUnits", SENEGAL, ROOT)
    copied(pair, "organisationUnits", DAKAR, REGION, parent={"id": ROOT})
    copied(pair, "dataElements", WEIGHT, ELEMENT)
    sync.write_route(ROUTE + MAPPING)
    (sync.routes / "district.csv").write_text(NAMES)

    first = sync.run()
    arrived = sync.report()
    second = sync.run()

    assert (first.state, second.state) == ("success", "success")
    owners = arrived["kinds"]["OWNER"]["unchanged"]
    assert arrived["totals"]["created"] + owners == arrived["totals"]["read"] > 1_000
    assert arrived["refusals"] == []
    assert sync.report()["totals"]["sent"] == 0
    units = stamps(sync.destination, "organisationUnits").keys()
    assert units >= {ROOT, REGION}
    assert units.isdisjoint({SENEGAL, DAKAR})
    assert listed(sync.destination, ROOT) == listed(sync.source, SENEGAL)
    assert weights(sync.destination, ELEMENT) == weights(sync.source, WEIGHT)


def listed(client: Dhis2Client, root: str) -> set[str]:
    people = Listing("trackedEntities", HIV, (root,), None, 1_000)
    found = {row["trackedEntity"] for row in read_list(client, people, ZoneInfo("UTC"))}
    assert len(found) > 20
    return found


def weights(client: Dhis2Client, element: str) -> dict[str, Any]:
    query = {"program": HIV, "fields": "event,dataValues[dataElement,value]", "pageSize": "5000"}
    rows = client.get("/api/tracker/events", query | {"orgUnitMode": "ACCESSIBLE"})["events"]
    values = {
        row["event"]: value["value"]
        for row in rows
        for value in row["dataValues"]
        if value["dataElement"] == element
    }
    assert len(values) > 20
    return values
