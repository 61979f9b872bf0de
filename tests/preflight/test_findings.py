"""What stops a run, and does it say what to do?"""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dhis2_api.errors import PermanentError
from tracker_sync.findings import Finding, require_none_blocking
from tracker_sync.preflight import clock_findings


def finding(code: str, *, blocking: bool) -> Finding:
    return Finding(code, blocking=blocking, text=f"{code} was seen", remedy=f"mend {code}")


def test_findings_that_do_not_block_let_a_run_go_on() -> None:
    findings = [finding("clocks_differ", blocking=False)]

    require_none_blocking(findings)


def test_every_blocking_finding_is_a_line_with_cause_and_remedy() -> None:
    findings = [
        finding("first", blocking=True),
        finding("harmless", blocking=False),
        finding("second", blocking=True),
    ]

    with pytest.raises(PermanentError) as caught:
        require_none_blocking(findings)

    assert str(caught.value).splitlines() == [
        "first: first was seen; mend first",
        "second: second was seen; mend second",
    ]


@given(seconds=st.integers(-300, 300))
def test_clocks_within_five_minutes_are_no_finding(seconds: int) -> None:
    assert clock_findings(timedelta(seconds=seconds)) == []


@given(seconds=st.integers(301), sign=st.sampled_from([-1, 1]))
def test_clocks_further_apart_are_a_finding_that_does_not_block(seconds: int, sign: int) -> None:
    (found,) = clock_findings(sign * timedelta(seconds=min(seconds, 10**6)))

    assert found.code == "clocks_differ"
    assert not found.blocking
