"""A watermark speaks of one program on certain terms, and moves over what is accounted for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from servers import DAKAR, HIV, MATERNAL, SENEGAL, route
from tracker_sync.mapping.terms import MappingTerms
from tracker_sync.route import AttributeCondition, ProgramSelection
from tracker_sync.windows.watermark import as_instants, as_texts, moved, scope_of, secret_of
from tracker_sync.windows.window import Window
from tracker_sync.workspace import Workspace


NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
JANUARY = date(2026, 1, 1)
ACTIVE = ProgramSelection(enrollment_status="ACTIVE")
ONE = AttributeCondition(attribute="kd7nkrMgEfm", operator="EQ", values=("1",))


def key(program: str = HIV, pair: str = "a-b", zone: str = "Africa/Dakar", **terms: Any) -> str:
    return scope_of(route(**terms), program, pair, zone).key(b"secret")


@pytest.mark.parametrize(
    "other",
    [
        key(MATERNAL),
        key(pair="a-c"),
        key(zone="Africa/Nairobi"),
        key(org_units=(SENEGAL, DAKAR)),
        key(selections={HIV: ACTIVE}),
        key(selections={HIV: ProgramSelection(occurred_from=JANUARY, occurred_to=JANUARY)}),
        key(selections={HIV: ProgramSelection(attributes=(ONE,))}),
        key(mapping=MappingTerms(org_units={DAKAR: SENEGAL})),
        key(mapping=MappingTerms(closed=frozenset({"users"}))),
    ],
)
def test_on_other_terms_it_is_another_watermark(other: str) -> None:
    assert other != key()


def test_on_the_same_terms_it_is_the_same_however_they_are_written() -> None:
    assert key(org_units=(SENEGAL, DAKAR)) == key(org_units=(DAKAR, SENEGAL))
    assert key(selections={HIV: ProgramSelection()}) == key()
    assert key(selections={MATERNAL: ACTIVE}) == key()
    assert key(schedule="0 3 * * *", refused="warn") == key()
    assert key(mapping=MappingTerms(org_units={})) == key()


def test_its_key_is_made_with_a_secret_that_stays_here(tmp_path: Path) -> None:
    here, elsewhere = (Workspace(tmp_path / name, "north", "night") for name in ("a", "b"))
    scope = scope_of(
        route(selections={HIV: ProgramSelection(attributes=(ONE,))}), HIV, "a-b", "UTC"
    )

    secret = secret_of(here)

    assert secret_of(replace(here, run_id="next")) == secret
    assert scope.key(secret) != scope.key(secret_of(elsewhere))
    (file,) = here.state.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600


def test_an_old_runs_window_never_takes_the_watermark_back() -> None:
    old = Window(NOON - timedelta(days=4), NOON - timedelta(days=3), None, moves=True)

    assert moved({"key": NOON}, {"key": old}) == {"key": NOON}


def test_a_window_never_jumps_over_what_a_rewound_watermark_left_open() -> None:
    window = Window(NOON - timedelta(days=1), NOON, None, moves=True)
    rewound = {"key": NOON - timedelta(days=9)}

    assert moved(rewound, {"key": window}) == rewound
    assert moved({}, {"key": window}) == {}


def test_a_baseline_joins_whatever_there_is_and_leaves_other_keys_alone() -> None:
    baseline = Window(None, NOON, None, moves=True)

    assert moved({"other": NOON}, {"key": baseline}) == {"key": NOON, "other": NOON}


def test_it_is_kept_as_text_in_any_zone_and_comes_back_the_same() -> None:
    assert as_instants(as_texts({"key": NOON})) == {"key": NOON}
    assert as_instants({"key": "2026-11-24T17:45:00+05:45"}) == {"key": NOON}
