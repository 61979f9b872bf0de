"""May this route run between these two servers?"""

from __future__ import annotations

from servers import DAKAR, SENEGAL, Pair, grant, route
from tracker_sync.preflight import describe, preflight


def test_two_servers_in_order_have_no_finding(pair: Pair) -> None:
    grant(pair.source, SENEGAL)

    seen = preflight(pair.source, pair.destination, route())

    assert seen.findings == ()
    assert describe(seen)[0] == "source: DHIS2 2.42.4, zone UTC"


def test_an_account_that_may_not_search_a_root_is_a_blocking_finding(pair: Pair) -> None:
    grant(pair.source, DAKAR)

    seen = preflight(pair.source, pair.destination, route(org_units=(DAKAR, SENEGAL)))

    (finding,) = seen.findings
    assert (finding.code, finding.blocking) == ("search_scope_missing", True)
    assert SENEGAL in finding.text


def test_a_root_that_does_not_exist_is_a_blocking_finding(pair: Pair) -> None:
    grant(pair.source, SENEGAL)

    seen = preflight(pair.source, pair.destination, route(org_units=("Nowhere0001",)))

    (finding,) = seen.findings
    assert (finding.code, finding.blocking) == ("root_missing", True)
    assert "Nowhere0001" in finding.text


def test_a_route_that_leads_back_to_its_source_is_a_blocking_finding(pair: Pair) -> None:
    grant(pair.source, SENEGAL)

    seen = preflight(pair.source, pair.source, route())

    (finding,) = seen.findings
    assert (finding.code, finding.blocking) == ("route_to_itself", True)
    assert "the same address" in finding.text
