"""When do two objects say the same?"""

from __future__ import annotations

from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from metadata.objects import PROGRAM, SET, ids, option_set, program
from tracker_sync.metadata.canonical import canonical, content_hash, sendable
from tracker_sync.metadata.classes import SERVER_OWNED
from tracker_sync.metadata.merging import merged


UIDS = st.from_regex(r"[A-Za-z][A-Za-z0-9]{10}", fullmatch=True)
NOTHING: st.SearchStrategy[Any] = st.sampled_from([None, False, 0, "", [], {}])


@given(units=st.lists(UIDS, unique=True, min_size=2), seed=st.integers())
def test_the_order_of_a_set_is_no_content(units: list[str], seed: int) -> None:
    shuffled = Random(seed).sample(units, len(units))  # noqa: S311 - not a secret

    ours = canonical("programs", program(organisationUnits=ids(*units)))
    theirs = canonical("programs", program(organisationUnits=ids(*shuffled)))

    assert ours == theirs
    assert len(ours["organisationUnits"]) == len(units)


@given(seed=st.integers())
def test_ranked_rows_stand_in_the_order_of_their_ranks(seed: int) -> None:
    rows = PROGRAM["programTrackedEntityAttributes"]
    assert isinstance(rows, list)
    shuffled = Random(seed).sample(rows, len(rows))  # noqa: S311 - not a secret

    seen = canonical("programs", program(programTrackedEntityAttributes=shuffled))

    assert [row["sortOrder"] for row in seen["programTrackedEntityAttributes"]] == [1, 2]
    assert seen == canonical("programs", program())


@given(fields=st.dictionaries(st.sampled_from(sorted(SERVER_OWNED)), st.text() | st.integers()))
def test_what_the_server_owns_is_no_content(fields: dict[str, Any]) -> None:
    touched = option_set(**fields)

    seen = canonical("optionSets", touched)

    assert seen == canonical("optionSets", option_set())
    assert seen["name"] == SET["name"]


@given(value=NOTHING)
def test_nothing_and_missing_are_the_same_content(value: Any) -> None:
    assert "description" not in SET

    seen = canonical("optionSets", option_set(description=value))

    assert seen == canonical("optionSets", option_set())


def test_an_object_is_sent_with_its_false_values() -> None:
    assert PROGRAM["onlyEnrollOnce"] is False

    sent = sendable(program())

    assert sent["onlyEnrollOnce"] is False


def test_the_order_of_options_is_content() -> None:
    turned = option_set(options=ids("fYYf3ulYkiz", "FGYUJQ5e1rA"))

    ours, theirs = canonical("optionSets", option_set()), canonical("optionSets", turned)

    assert ours != theirs


def test_what_a_server_counts_is_no_content() -> None:
    counted = option_set(version=7)

    assert canonical("optionSets", counted) == canonical("optionSets", option_set())


def test_of_the_sharing_only_the_public_string_is_sent() -> None:
    shared = {"public": "rwrw----", "owner": "M5zQapPyTZI", "external": False}
    shared |= {"users": {"M5zQapPyTZI": {"access": "rw------"}}, "userGroups": {"abc": {}}}

    sent = sendable(option_set(sharing=shared))

    assert sent["sharing"] == {"public": "rwrw----", "users": {}, "userGroups": {}}


def test_a_row_is_named_by_what_it_joins() -> None:
    rows = sendable(program())["programTrackedEntityAttributes"]

    assert [set(row) for row in rows] == [{"trackedEntityAttribute", "sortOrder", "mandatory"}] * 2


def test_translations_stay() -> None:
    french = [{"locale": "fr", "property": "NAME", "value": "Sexe"}]

    seen = canonical("optionSets", option_set(translations=french))

    assert seen["translations"] == french


@given(seed=st.integers())
def test_equal_content_has_an_equal_hash(seed: int) -> None:
    names = Random(seed).sample(sorted(SET), len(SET))  # noqa: S311 - not a secret
    shuffled = {name: SET[name] for name in names}

    ours = content_hash(canonical("optionSets", option_set()))

    assert ours == content_hash(canonical("optionSets", shuffled))
    assert ours != content_hash(canonical("optionSets", option_set(name="Liste SEXE")))


def test_rows_that_are_an_objects_own_are_compared_without_their_ids() -> None:
    legend = {"id": "legendHere1", "name": "Bas", "startValue": 0, "endValue": 10}
    there = legend | {"id": "legendThere", "endValue": 10.0}
    local = {"id": "legendLocal", "name": "Haut", "startValue": 10, "endValue": 20}
    ours = {"id": "legendSetA1", "legends": [legend]}
    boundary = {"analyticsPeriodBoundaryType": "AFTER_START_OF_REPORTING_PERIOD"}
    indicator = {
        "id": "indicator01",
        "analyticsPeriodBoundaries": [boundary | {"id": "here0000001"}],
    }
    other = {"id": "indicator01", "analyticsPeriodBoundaries": [boundary | {"id": "there000001"}]}

    assert canonical("legendSets", ours) == canonical("legendSets", ours | {"legends": [there]})
    assert canonical("programIndicators", indicator) == canonical("programIndicators", other)
    kept = merged("legendSets", ours, ours | {"legends": [there, local]})
    assert [row["name"] for row in kept["legends"]] == ["Bas", "Haut"]
    assert merged("programIndicators", indicator, other) == sendable(indicator)
