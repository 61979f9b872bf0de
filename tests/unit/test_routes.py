"""A route file is read strictly, and a broken one says file, line, key and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracker_sync.route import Route
from tracker_sync.routes import BrokenRoute, InvalidRoute, load_route, load_routes, routes_folder


DEMO = (Path(__file__).parents[2] / "include" / "routes" / "demo.yaml").read_text()

MISTAKES = {
    "an unknown key": (DEMO + "batchsize: 3\n", "line 26: `batchsize`: no such key"),
    "a key twice": (DEMO + "metadata: check\n", "line 26: key `metadata` stands twice"),
    "a malformed UID": (DEMO.replace("m8nERzkN6j4", "m8nERzkN6j"), "line 8: `programs.1`: a UID"),
    "a UID twice": (DEMO.replace("m8nERzkN6j4", "xsd8pFBm2w1"), "line 6: `programs`: the same UID"),
    "a text for a number": (
        DEMO.replace("level: 3", 'level: "3"'),
        "line 17: `slices.level`: a",
    ),
    "a flag for a number": (
        DEMO.replace("most: 40", "most: true"),
        "line 18: `slices.most`: a",
    ),
    "a word nobody knows": (DEMO.replace("refused: fail", "refused: fial"), "`refused`: Input sho"),
    "a zone nobody knows": (DEMO.replace("Africa/Dakar", "Afrika"), "line 14: `timezone`: no zone"),
    "a bad schedule": (DEMO.replace("0 2 * * *", "99 2 * * *"), "line 13: `schedule`: no cron"),
    "no programs": (DEMO.replace("programs:", "program:"), "`programs`: this key is needed"),
    "a route to itself": (
        DEMO.replace("dhis2_destination", "dhis2_source"),
        "`source` and `destination` are the same connection",
    ),
    "no mapping at all": ("- demo\n", "line 1: a route is `key: value` lines"),
    "no YAML": ("source: [\n", "line 2"),
}


def test_the_projects_own_routes_are_all_good() -> None:
    routes = load_routes(routes_folder({}))

    assert [route.name for route in routes] == ["demo"]
    assert all(isinstance(route, Route) for route in routes)


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


def test_another_folder_can_be_named() -> None:
    assert routes_folder({"TRACKER_SYNC_ROUTES": "/etc/routes"}) == Path("/etc/routes")
