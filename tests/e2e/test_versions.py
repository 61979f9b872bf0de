"""A route works between two servers of every supported version, and of the farthest two."""

from __future__ import annotations

import pytest

from e2e.sync import Sync, states


VERSIONS = ("2.40.9", "2.41.8", "2.42.4", "2.43.1", "2.40.9 to 2.43.1", "2.43.1 to 2.40.9")


@pytest.mark.parametrize("sync", VERSIONS, indirect=True)
def test_a_district_is_copied_whole_and_the_second_time_nothing_is_sent(sync: Sync) -> None:
    first = sync.run()

    assert set(states(first).values()) == {"success"}
    totals = sync.report()["totals"]
    owners = sync.report()["kinds"]["OWNER"]["unchanged"]
    assert totals["created"] + owners == totals["read"] > 1_000
    send_something_again(sync)

    second = sync.run()

    assert second.state == "success"
    assert sync.report()["totals"]["read"] > 0
    assert sync.report()["totals"]["sent"] == 0


def send_something_again(sync: Sync) -> None:
    """Let the source stamp one person anew, so that the second run has somebody to read."""
    person = next(uid for uid in sync.ledger()["tracked_entity"].to_pylist() if uid)
    place = sync.source.get(
        f"/api/tracker/trackedEntities/{person}",
        {"fields": "trackedEntity,trackedEntityType,orgUnit,geometry"},
    )
    sync.source.post("/api/tracker", {"trackedEntities": [place]}, {"async": "false"})
