"""A person asks for a span of time in a form nobody can misread."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from dhis2_api.errors import PermanentError
from tracker_sync.windows.asked_span import AskedSpan


OSLO = ZoneInfo("Europe/Oslo")


def test_a_date_begins_at_midnight_where_the_route_is_at_home() -> None:
    span = AskedSpan.of({"from": "2026-11-23", "to": "2026-11-24T18:00:00+05:45"}, OSLO)

    assert span.start == datetime(2026, 11, 22, 23, tzinfo=UTC)
    assert span.end == datetime(2026, 11, 24, 12, 15, tzinfo=UTC)


@pytest.mark.parametrize("params", [{}, {"from": None, "to": None}, {"from": "", "to": ""}])
def test_nothing_asked_for_is_left_to_the_run(params: dict[str, str | None]) -> None:
    assert AskedSpan.of(params, OSLO) == AskedSpan()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("2026-11-23T02:00:00", "a time without an offset"),
        ("yesterday", "neither a date nor a time"),
        ("2026-02-30", "neither a date nor a time"),
        ("0001-01-01", "before 1900"),
        ("1764000000", "neither a date nor a time"),
    ],
)
def test_what_could_be_misread_is_refused_with_the_form_that_cannot(text: str, says: str) -> None:
    with pytest.raises(PermanentError, match=f"`from` is {says}.*2026-11-24"):
        AskedSpan.of({"from": text}, OSLO)


def test_the_wrong_way_round_is_refused() -> None:
    with pytest.raises(PermanentError, match="exchange"):
        AskedSpan.of({"from": "2026-11-24", "to": "2026-11-24"}, OSLO)
