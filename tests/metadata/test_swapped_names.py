"""Do objects that want each other's code or name get it, whenever a run is killed?"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from dhis2_api.client import Dhis2Client
from metadata.grown import (
    ABC,
    ADHERENT,
    LOAD,
    REGIMENS,
    RULE,
    SECOND_RULE,
    TDF,
    WEIGHT,
    change,
)
from metadata.twins import Ground, contents, twins
from servers import DAKAR, HIV, Pair, put, read, route
from tracker_sync.metadata import MetadataResult, synchronise


THIES = "LF87lmoDPcJ"
UPDATING = route(programs=(HIV,), metadata_org_units="update")
NAMES = ("name", "shortName", "code")

#: Class, two objects, and what they swap.
SWAPS = [
    ("dataElements", WEIGHT, LOAD, NAMES),
    ("dataElements", WEIGHT, LOAD, ("code",)),
    ("programRules", RULE, SECOND_RULE, ("name",)),
    ("options", TDF, ABC, ("name",)),
    ("organisationUnits", DAKAR, THIES, ("code",)),
]
Mutate = Callable[[Dhis2Client], None]


class KilledError(Exception):
    """Stands for the end of a process."""


def swap(server: Dhis2Client, plural: str, first: str, second: str, names: tuple[str, ...]) -> None:
    """Let two objects change places, as somebody does in a maintenance app: by a third name."""
    rotate(server, plural, (first, second), names)


def rotate(server: Dhis2Client, plural: str, uids: tuple[str, ...], names: tuple[str, ...]) -> None:
    """Give each object what the next one is called."""
    before = [read(server, plural, uid) for uid in uids]
    for uid in uids:
        change(server, plural, uid, **{name: f"{name} {uid}" for name in names})
    for uid, other in zip(uids, [*before[1:], before[0]], strict=True):
        change(server, plural, uid, **{name: other[name] for name in names})


def assert_equal(both: Pair) -> None:
    ours, theirs = contents(both.source), contents(both.destination)
    shared = [name for name in ours if name in theirs]
    assert len(shared) > 60
    assert {name: theirs[name] for name in shared} == {name: ours[name] for name in shared}


def assert_applied(both: Pair, result: MetadataResult) -> None:
    assert result.findings == ()
    assert_equal(both)
    again = synchronise(both.source, both.destination, UPDATING)
    assert (again.sent, again.difference.changes, again.findings) == (0, (), ())


@pytest.mark.parametrize("swapped", SWAPS, ids=[f"{one[0]}-{'-'.join(one[3])}" for one in SWAPS])
def test_two_objects_swap_their_codes_or_names(both: Pair, swapped: Any) -> None:
    plural, first, second, names = swapped
    if plural == "organisationUnits":
        for server in (both.source, both.destination):
            change(server, plural, first, code="SN-DK")
            change(server, plural, second, code="SN-TH")
    before = [read(both.destination, plural, uid) for uid in (first, second)]
    assert all(one.get(name) for one in before for name in names)
    swap(both.source, plural, first, second, names)

    result = synchronise(both.source, both.destination, UPDATING)

    after = [read(both.destination, plural, uid) for uid in (second, first)]
    assert [[one[name] for name in names] for one in after] == [
        [one[name] for name in names] for one in before
    ]
    assert_applied(both, result)


def test_three_objects_pass_their_codes_on_and_a_new_one_takes_what_is_left(both: Pair) -> None:
    rotate(both.source, "dataElements", (WEIGHT, LOAD, ADHERENT), NAMES)
    change(both.source, "options", TDF, code="TLD", name="TLD")
    old = read(both.destination, "options", TDF)
    option = {"id": "OptionAdded", "code": old["code"], "name": old["name"]}
    put(both.source, "options", option | {"optionSet": {"id": REGIMENS}})

    result = synchronise(both.source, both.destination, UPDATING)

    assert read(both.destination, "options", "OptionAdded")["code"] == old["code"]
    assert_applied(both, result)


def test_a_run_killed_before_any_of_its_writes_is_finished_by_the_next(
    ground: Ground, tmp_path: Path
) -> None:
    for moment in count(1):
        folder = tmp_path / str(moment)
        folder.mkdir()
        with twins(ground, folder) as both:
            swap(both.source, "dataElements", WEIGHT, LOAD, NAMES)
            killed = _killed_before(both, moment)
            assert_applied(both, synchronise(both.source, both.destination, UPDATING))
        if not killed:
            break

    # Looked at, renamed, and the change itself: each validated, the last two committed.
    assert moment == 6


def _killed_before(both: Pair, moment: int) -> bool:
    writes = count(1)

    def before_write() -> None:
        if next(writes) == moment:
            raise KilledError

    try:
        synchronise(both.source, both.destination, UPDATING, before_write)
    except KilledError:
        return True
    return False


def test_nothing_is_renamed_if_the_rest_would_be_refused(both: Pair) -> None:
    swap(both.source, "dataElements", WEIGHT, LOAD, NAMES)
    old = read(both.source, "options", TDF)  # made anew, and its group still names the old one
    held = read(both.source, "optionSets", REGIMENS)["options"]
    change(both.source, "optionSets", REGIMENS, options=[o for o in held if o["id"] != TDF])
    new = {"id": "OptionNew01", "optionSet": {"id": REGIMENS}, "code": old["code"], "name": "N"}
    put(both.source, "options", new)
    before = contents(both.destination)

    result = synchronise(both.source, both.destination, UPDATING)

    (finding,) = [one for one in result.findings if one.blocking]
    assert finding.code == "metadata_refused"
    assert "OptionNew01: E4028" in finding.text
    assert "E5003" not in finding.text  # that would have been taken
    assert result.sent == 0
    assert contents(both.destination) == before


def test_options_that_swap_their_codes_are_told_before_anything_is_written(both: Pair) -> None:
    swap(both.source, "options", TDF, ABC, ("code",))
    before = contents(both.destination)

    result = synchronise(both.source, both.destination, UPDATING)

    (finding,) = result.findings
    assert (finding.code, finding.blocking, result.sent) == ("option_codes_swapped", True, 0)
    assert TDF in finding.text
    assert ABC in finding.text
    assert "code of no meaning" in finding.remedy
    assert contents(both.destination) == before
