"""Has every code there is a row in both languages, and is the page of the codes that table?"""

from __future__ import annotations

import csv
import re
from dataclasses import fields
from pathlib import Path

import pytest

from repository.documents import README, ROOT, text_of
from tracker_sync.codes import REMEDIES, Remedy, Who, can_heal, remedy_for
from tracker_sync.codes.page import page


TABLE = ROOT / "include/tracker_sync/codes/codes.csv"
OF_DHIS2 = Path(__file__).with_name("codes_of_dhis2.txt")
OURS = re.compile(r"(?<![A-Z_])SYNC_[A-Z_]*[A-Z]\b")
MOST_OF_A_CELL = 160
ROWS = pytest.mark.parametrize("remedy", REMEDIES.values(), ids=list(REMEDIES))


def lines_of_dhis2() -> list[list[str]]:
    lines = OF_DHIS2.read_text().splitlines()
    return [line.split() for line in lines if not line.startswith("#")]


def codes_of_ours() -> set[str]:
    folders = ("include", "plugins", "dags")
    modules = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return {code for path in modules for code in OURS.findall(path.read_text())}


def test_every_code_of_a_tracker_import_has_a_row() -> None:
    codes = [code for code, *_ in lines_of_dhis2()]
    recorded = [code for code, *releases in lines_of_dhis2() if releases]
    assert len(recorded) > 50
    assert len(codes) > len(recorded)

    assert set(codes) - REMEDIES.keys() == set()


def test_every_code_of_our_own_has_a_row_and_every_row_is_of_a_code() -> None:
    ours = codes_of_ours()
    assert len(ours) > 5

    rows = {code for code in REMEDIES if code.startswith("SYNC_")}

    assert rows == ours
    known = {code for code, *_ in lines_of_dhis2()} | ours
    assert REMEDIES.keys() - known == {"UNKNOWN"}


def test_the_rows_stand_in_order_and_each_code_once() -> None:
    head, *rows = csv.reader(TABLE.read_text(encoding="utf-8").splitlines(), strict=True)

    codes = [row[0] for row in rows]

    assert head == [field.name for field in fields(Remedy)]
    assert codes == sorted(set(codes)) == list(REMEDIES)


@ROWS
def test_a_row_says_everything_in_both_languages_and_in_short(remedy: Remedy) -> None:
    cells = {field.name: str(getattr(remedy, field.name)) for field in fields(Remedy)}

    assert [name for name, cell in cells.items() if not cell.strip()] == []
    assert [name for name, cell in cells.items() if len(cell) > MOST_OF_A_CELL] == []
    assert [name for name, cell in cells.items() if cell != cell.strip() or "|" in cell] == []
    assert remedy.meaning_fr != remedy.meaning_en
    assert remedy.do_fr != remedy.do_en


@ROWS
def test_a_french_cell_is_not_left_in_english(remedy: Remedy) -> None:
    english = re.compile(r"\b(the|and|of|is|not|with|program|event|enrollment|source account)\b")

    assert english.search(f"{remedy.meaning_fr} {remedy.do_fr}") is None


@ROWS
def test_where_nobody_has_to_act_time_heals_or_nothing_is_wrong(remedy: Remedy) -> None:
    if remedy.who is Who.NOBODY:
        assert remedy.heals or remedy.do_en.startswith("nothing")


def test_the_releases_that_gave_a_code_are_among_those_of_its_row() -> None:
    for code, *releases in lines_of_dhis2():
        bounds = re.fullmatch(r"2\.(\d+)(?:\.\d+)?(\+|-2\.(\d+))?", REMEDIES[code].versions)
        first, last = (int(bounds[1]), int(bounds[3] or 99)) if bounds and bounds[2] else (0, 99)

        assert [r for r in releases if not first <= int(r.split(".")[1]) <= last] == [], code


def test_a_code_nobody_knows_is_said_to_be_so_and_is_tried_again() -> None:
    unknown = remedy_for("E7777")

    assert "does not know" in unknown.meaning_en
    assert "ne connaît pas" in unknown.meaning_fr
    assert remedy_for(None) == unknown
    assert can_heal("E7777")


def test_the_page_of_the_codes_is_the_table() -> None:
    assert text_of("docs/codes.md") == page()
    assert "(docs/codes.md)" in text_of(README)
