"""What stops a run, and does it say what to do?"""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dhis2_api.errors import PermanentError
from tracker_sync.findings import MOST_NAMED, Finding, require_none_blocking, some_of
from tracker_sync.metadata.judgement import losing
from tracker_sync.metadata.versions import SetAside
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


def test_a_few_names_are_told_one_by_one() -> None:
    assert some_of(["one", "two"]) == "one, two"


def test_of_many_names_it_is_told_how_many_more_there_are() -> None:
    names = [f"name{number}" for number in range(MOST_NAMED + 3)]

    text = some_of(names, "; ")

    assert text.count("name") == MOST_NAMED
    assert text.endswith(" and 3 more")


def test_a_field_that_many_objects_lose_is_not_told_of_a_few_in_silence() -> None:
    uids = tuple(f"uid{number}" for number in range(MOST_NAMED + 3))

    (found,) = losing([SetAside("programs", "eventLabel", uids)])

    assert "and 3 more stays behind" in found.text
