"""A route file is read strictly, and a broken one says file, line, key and remedy."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tracker_sync.route import Route
from tracker_sync.routes import BrokenRoute, InvalidRoute, load_route, load_routes, routes_folder


DEMO = (Path(__file__).parents[2] / "include" / "routes" / "demo.yaml").read_text()


def at(text: str) -> str:
    """Return how a message names the line of the demo's route that holds *text*, or one behind."""
    lines = DEMO.splitlines()
    return f"line {next((n for n, line in enumerate(lines, 1) if text in line), len(lines) + 1)}"


END = at("nowhere in it")
BEHIND = f"line {len(DEMO.splitlines()) + 2}"

MISTAKES = {
    "an unknown key": (DEMO + "batchsize: 3\n", f"{END}: `batchsize`: no such key"),
    "a key twice": (DEMO + "metadata: check\n", f"{END}: key `metadata` stands twice"),
    "a malformed UID": (DEMO.replace("m8nERzkN6j4", "m8nERzkN6j"), "line 8: `programs.1`: a UID"),
    "a UID twice": (DEMO.replace("m8nERzkN6j4", "xsd8pFBm2w1"), "line 6: `programs`: the same UID"),
    "a text for a number": (
        DEMO.replace("level: 2", 'level: "2"'),
        f"{at('level: 2')}: `slices.level`: a",
    ),
    "a flag for a number": (
        DEMO.replace("most: 40", "most: true"),
        f"{at('most: 40')}: `slices.most`: a",
    ),
    "a word nobody knows": (DEMO.replace("refused: fail", "refused: fial"), "`refused`: Input sho"),
    "a zone nobody knows": (
        DEMO.replace("Africa/Dakar", "Afrika"),
        f"{at('timezone:')}: `timezone`: no zone",
    ),
    "a bad schedule": (
        DEMO.replace("0 2 * * *", "99 2 * * *"),
        f"{at('schedule:')}: `schedule`: no cron",
    ),
    "no programs": (DEMO.replace("programs:", "program:"), "`programs`: this key is needed"),
    "a route to itself": (
        DEMO.replace("sandbox_destination", "sandbox_source"),
        "`source` and `destination` are the same connection",
    ),
    "no mapping at all": ("- demo\n", "line 1: a route is `key: value` lines"),
    "no YAML": ("source: [\n", "line 2"),
    "a day that never comes": (DEMO.replace("0 2 * * *", "0 0 30 2 *"), "`schedule`: no cron"),
    "a random time": (DEMO.replace("0 2 * * *", "R R * * *"), "`schedule`: no cron"),
    "a date that is none": ("schedule: 2026-13-45\n", "a value that cannot be read"),
    "a value that holds itself": ("source: &a [*a]\n", "a value that cannot be read"),
    "half a span of days": (
        DEMO + "selections: {m8nERzkN6j4: {occurred_from: 2026-01-01}}\n",
        f"{END}: `selections.m8nERzkN6j4`: `occurred_from` and `occurred_to` come together",
    ),
    "a span turned round": (
        DEMO + "selections:\n  m8nERzkN6j4: {occurred_from: 2026-02-01, occurred_to: 2026-01-01}\n",
        f"{BEHIND}: `selections.m8nERzkN6j4`: `occurred_from` is after",
    ),
    "a selection of another program": (
        DEMO + "selections: {m8nERzkN6j5: {follow_up: true}}\n",
        "`selections` names a program that `programs` does not",
    ),
    "a name": (DEMO + "name: other\n", f"{END}: `name`: the file's name is it"),
}


def test_the_projects_own_routes_are_all_good() -> None:
    routes = load_routes(routes_folder({}))

    assert [route.name for route in routes] == ["demo"]
    assert all(isinstance(route, Route) for route in routes)


def test_a_selection_is_read_as_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "north.yaml").write_text(
        DEMO
        + """selections:
  m8nERzkN6j4:
    enrollment_status: ACTIVE
    attributes: [{attribute: zzlC4ArMYGX, operator: IN, values: [F, M]}]
    program_stage: qkN0H5bwLdr
    event_status: COMPLETED
    occurred_from: 2026-01-01
    occurred_to: 2026-12-31
"""
    )

    chosen = load_route(tmp_path / "north.yaml").selections["m8nERzkN6j4"]

    assert (chosen.occurred_from, chosen.event_status) == (date(2026, 1, 1), "COMPLETED")
    assert chosen.attributes[0].values == ("F", "M")
    assert "F" not in repr(chosen.attributes[0]).split()


@pytest.mark.parametrize(("text", "says"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_named_with_file_line_and_remedy(text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "north.yaml").write_text(text)

    with pytest.raises(InvalidRoute) as refusal:
        load_route(tmp_path / "north.yaml")

    assert str(refusal.value).startswith("north.yaml, line ")
    assert says in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_broken_route_does_not_hide_the_others(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(DEMO)
    (tmp_path / "bad name.yaml").write_text(DEMO)
    (tmp_path / "worse.yaml").write_bytes(b"\xff\xfe")

    routes = load_routes(tmp_path)

    assert [route.name for route in routes] == ["bad_name", "good", "worse"]
    assert [type(route) for route in routes] == [BrokenRoute, Route, BrokenRoute]


def test_two_files_never_make_one_route_in_silence(tmp_path: Path) -> None:
    (tmp_path / "north.yaml").write_text(DEMO)
    (tmp_path / "north.yml").write_text(DEMO)

    (route,) = load_routes(tmp_path)

    assert isinstance(route, BrokenRoute)
    assert "rename one" in route.reason


def test_a_name_too_long_for_a_dag_is_cut_and_refused(tmp_path: Path) -> None:
    (tmp_path / f"{'n' * 240}.yaml").write_text(DEMO)

    (route,) = load_routes(tmp_path)

    assert isinstance(route, BrokenRoute)
    assert len(route.name) == 100


def test_a_folder_that_is_not_there_is_a_broken_route_too(tmp_path: Path) -> None:
    (route,) = load_routes(tmp_path / "nowhere")

    assert isinstance(route, BrokenRoute)
    assert "TRACKER_SYNC_ROUTES" in route.reason


def test_another_folder_can_be_named() -> None:
    assert routes_folder({"TRACKER_SYNC_ROUTES": "/etc/routes"}) == Path("/etc/routes")
