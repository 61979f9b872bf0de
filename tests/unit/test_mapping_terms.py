"""A route's mapping is read from tables in it or beside it, and one that is unclear is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from servers import DAKAR, HIV, MATERNAL, SENEGAL, SEX
from tracker_sync.mapping.terms import SAME_NAMES, MappingTerms
from tracker_sync.routes import InvalidRoute, load_route


ROUTE = f"""\
source: from
destination: to
programs: [{HIV}]
org_units: [{SENEGAL}]
"""
HEAD = "table,source,destination,option_set\n"
THERE, OTHER = "DestUnit001", "DestUnit002"


def mapping(folder: Path, text: str, beside: str | bytes | None = None) -> MappingTerms:
    """Return the mapping of a route that holds *text* below `mapping`, with a file beside it."""
    (folder / "north.yaml").write_text(f"{ROUTE}mapping:\n{text}")
    if beside is not None:
        content = beside if isinstance(beside, bytes) else beside.encode()
        (folder / "names.csv").write_bytes(content)
    return load_route(folder / "north.yaml").mapping


def test_a_route_that_says_nothing_calls_everything_the_same_on_both_sides(tmp_path: Path) -> None:
    assert mapping(tmp_path, "  org_units: {}\n") == SAME_NAMES
    assert SAME_NAMES.hash == ""
    assert SAME_NAMES.there("org_units", DAKAR) == DAKAR


def test_tables_of_the_route_and_of_the_file_beside_it_are_joined(tmp_path: Path) -> None:
    inline = (
        f"  file: names.csv\n  org_units: {{{SENEGAL}: {THERE}}}\n  options:\n    {SEX}: {{M: H}}\n"
    )
    rows = f"org_units,{DAKAR},{OTHER},\nusers,alice,bob,\noptions,F,drop,{SEX}\n"

    found = mapping(tmp_path, inline, HEAD + rows)

    assert found.org_units == {SENEGAL: THERE, DAKAR: OTHER}
    assert found.users == {"alice": "bob"}
    assert found.options == {SEX: {"M": "H", "F": "drop"}}


def test_a_file_that_a_spreadsheet_saved_is_read(tmp_path: Path) -> None:
    rows = (HEAD + f"org_units,{DAKAR},{OTHER},\n,,,\n").replace(",", ";").replace("\n", "\r\n")

    found = mapping(tmp_path, "  file: names.csv\n", b"\xef\xbb\xbf" + rows.encode())

    assert found.org_units == {DAKAR: OTHER}


BAD_FILES: dict[str, tuple[str | bytes, str]] = {
    "another head": ("from,to\n", "line 1: its first line is not table,source"),
    "an unknown table": (f"{HEAD}clinics,{DAKAR},{OTHER},\n", "line 2: `clinics` is no table"),
    "no UID": (f"{HEAD}\norg_units,Dakar,{OTHER},\n", "line 3: `Dakar` is no UID"),
    "an empty cell": (f"{HEAD}users,alice,,\n", "line 2: a cell is empty; write `drop`"),
    "a cell too few": (f"{HEAD}users,alice,bob\n", "line 2: 3 cells instead of 4"),
    "an option of no set": (f"{HEAD}options,F,M,\n", "line 2: an option set stands with options"),
    "a set of no option": (f"{HEAD}users,a,b,{SEX}\n", "line 2: an option set stands with options"),
    "a source twice": (f"{HEAD}users,a,b,\nusers,a,c,\n", "line 3: `a` stands twice in `users`"),
    "what the route says too": (f"{HEAD}users,inline,c,\n", "line 2: `inline` stands twice"),
    "a quote left open": (f'{HEAD}users,"a,b,\n', "correct the quotes"),
    "another encoding": (HEAD.encode() + b"users,\xe9,b,\n", "line 1: cannot be read"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_bad_file_is_named_with_its_line(tmp_path: Path, case: str) -> None:
    beside, reason = BAD_FILES[case]

    with pytest.raises(InvalidRoute) as refused:
        mapping(tmp_path, "  file: names.csv\n  users: {inline: b}\n", beside)

    assert "north.yaml, line 6: `mapping.file`: names.csv" in str(refused.value)
    assert reason in str(refused.value)


def test_a_file_that_is_not_there_or_lies_elsewhere_is_refused(tmp_path: Path) -> None:
    for name, reason in (("none.csv", "cannot be read"), ("../names.csv", "no name of a CSV")):
        with pytest.raises(InvalidRoute, match=reason):
            mapping(tmp_path, f"  file: {name}\n")


BAD_TABLES = {
    f"  org_units: {{{SENEGAL}: drop}}\n": "`drop` is not for every table",
    "  clinics: {}\n": "`mapping.clinics`: no such key",
    f"  options: {{{SEX}: {{1: M, 01: F}}}}\n": "line 6: key `1` is no text; quote it",
    f"  options: {{{SEX}: {{no: N}}}}\n": "line 6: key `no` is no text; quote it",
    f"  options: {{{SEX}: {{N: 0}}}}\n": "a text is needed here",
    "  merge: [programs]\n": "`mapping.merge",
}


@pytest.mark.parametrize("text", BAD_TABLES)
def test_a_bad_table_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidRoute) as refused:
        mapping(tmp_path, text)

    assert BAD_TABLES[text] in str(refused.value)


TWO_ONTO_ONE = {
    f"  org_units: {{{SENEGAL}: {THERE}, {DAKAR}: {THERE}}}\n": "write `merge: [org_units]`",
    f"  options: {{{SEX}: {{M: X, F: X}}}}\n": "write `merge: [options]`",
    "  users: {alice: x, bob: x}\n": "`users`: alice and bob both become x",
    f"  programs: {{{HIV}: {THERE}, {MATERNAL}: {THERE}}}\n": "which programs cannot",
}


@pytest.mark.parametrize("text", TWO_ONTO_ONE)
def test_two_sources_onto_one_target_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidRoute) as refused:
        mapping(tmp_path, text)

    assert TWO_ONTO_ONE[text] in str(refused.value)


def test_two_sources_onto_one_target_are_taken_where_the_route_says_so(tmp_path: Path) -> None:
    text = f"  merge: [org_units]\n  org_units: {{{SENEGAL}: {THERE}, {DAKAR}: {THERE}}}\n"

    assert mapping(tmp_path, text).there("org_units", DAKAR) == THERE


def test_two_that_are_dropped_are_not_two_onto_one() -> None:
    assert MappingTerms(users={"alice": "drop", "bob": "drop"}).users


def test_its_hash_is_of_what_is_said_in_whatever_order() -> None:
    one = MappingTerms(users={"a": "b", "c": "d"}, closed=frozenset({"users", "org_units"}))
    same = MappingTerms(users={"c": "d", "a": "b"}, closed=frozenset({"org_units", "users"}))

    assert one.hash == same.hash != ""
    assert MappingTerms(users={"a": "b"}).hash != one.hash
