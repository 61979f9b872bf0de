"""What was mended outside of tracker is sent again by a replay, from what the source has now."""

from __future__ import annotations

from typing import Any

import pyarrow.parquet as pq

from flows.expected import assert_equal, began_with
from flows.people import AWA, BINTA, event_of, person, visit
from flows.world import Run, World
from servers import read
from tracker_sync.publish import publish
from tracker_sync.runs.replay import Replay
from tracker_sync.servers import note_servers
from tracker_sync.steps.plan_replay import plan_replay
from tracker_sync.workspace import Workspace


def replayed(world: World, replay: Replay) -> Run:
    """Run a replay as its tasks do."""
    workspace = Workspace(world.folder, "district", f"replay__{len(world.runs)}")
    run = Run(workspace, world.route())
    note_servers(workspace, world.source.client.url, world.destination.client.url)
    publish(workspace.model, world.model.to_json().encode())
    plan_replay(world.source.client, run.route, workspace, replay)
    for piece in run.slices:
        world.load(run, piece, world.bundles(run, piece))
    return world.end(run)


OPTION = {"id": "PNOoT7yjnBo", "code": "TDF_3TC_DTG", "name": "TDF+3TC+DTG", "sortOrder": 1}
REGIMENS = "rGXJBRiGJCF"


def lose_the_option(world: World) -> dict[str, Any]:
    """Delete an option at the destination, and return its set as it was."""
    client = world.destination.client
    option_set = read(client, "optionSets", REGIMENS)
    client.request("DELETE", f"/api/options/{OPTION['id']}")
    return option_set


def test_a_replay_by_uid_sends_from_fresh_source_state(world: World) -> None:
    began_with(world, person(AWA))
    marks = dict(world.watermarks)
    world.source.write(events=[visit(AWA, number=2)])

    run = replayed(world, Replay(uids=frozenset({AWA})))

    assert run.totals["created"] == run.sent == 1
    assert world.watermarks == marks
    assert_equal(world)


def test_a_dry_replay_names_what_it_would_send_and_writes_nothing(world: World) -> None:
    began_with(world, person(AWA), person(BINTA))
    world.source.write(events=[visit(AWA, number=2), visit(BINTA, number=2)])
    before = (world.destination.holds(), world.destination.stamps(), state_of(world))
    world.destination.watch.imports.clear()

    world.dry_run = True
    dry = replayed(world, Replay(uids=frozenset({AWA})))
    world.dry_run = False
    between = (world.destination.holds(), world.destination.stamps(), state_of(world))
    done = replayed(world, Replay(uids=frozenset({AWA})))

    paths = sorted(dry.workspace.run.glob("*/planned.parquet"))
    (plan,) = [row for path in paths for row in pq.read_table(path).to_pylist()]
    assert (plan["kind"], plan["uid"], plan["action"]) == ("EVENT", event_of(AWA, 2), "created")
    assert dry.refused == {event_of(AWA, 2): ("held", "SYNC_DRY_RUN")}
    assert (dry.sent, dry.problems) == (0, ())
    assert between == before
    assert (done.sent, done.refused) == (1, {})
    assert ("event", event_of(AWA, 2)) in world.destination.holds()
    assert ("event", event_of(BINTA, 2)) not in world.destination.holds()


def test_a_dry_replay_of_what_is_refused_leaves_it_open_and_sends_nothing(world: World) -> None:
    began_with(world, person(AWA))
    lose_the_option(world)
    new = visit(AWA, number=2)
    world.source.write(events=[new])
    world.run()
    world.destination.watch.imports.clear()

    world.dry_run = True
    dry = replayed(world, Replay(codes=frozenset({"E1125"})))
    world.dry_run = False
    real = replayed(world, Replay(codes=frozenset({"E1125"})))

    assert dry.refused == {new["event"]: ("held", "SYNC_DRY_RUN")}
    assert dry.problems == ()
    assert real.refused == {new["event"]: ("refused", "E1125")}
    assert len(world.destination.watch.imports) == real.sent == 1


def state_of(world: World) -> list[str]:
    """Return the pages of the state."""
    found = sorted(path.name for path in world.folder.rglob("state/*/*.parquet"))
    assert found
    return found


def test_a_replay_of_somebody_who_is_not_there_names_them(world: World) -> None:
    began_with(world, person(AWA))

    run = replayed(world, Replay(uids=frozenset({"StrangerXX1"})))

    assert run.refused == {"StrangerXX1": ("held", "SYNC_GONE_AT_SOURCE")}


def test_what_was_mended_is_stored_by_a_replay_though_no_run_would_send_it(world: World) -> None:
    began_with(world, person(AWA))
    option_set = lose_the_option(world)
    new = visit(AWA, number=2)
    world.source.write(events=[new])

    first, second = world.run(), world.run()
    in_vain = replayed(world, Replay(codes=frozenset({"E1125"})))
    option = {**OPTION, "optionSet": {"id": REGIMENS}}
    world.destination.client.post(
        "/api/metadata", {"optionSets": [option_set], "options": [option]}
    )
    third = world.run()
    mended = replayed(world, Replay(codes=frozenset({"E1125"})))

    assert first.refused == second.refused == third.refused == {new["event"]: ("refused", "E1125")}
    assert (second.sent, in_vain.sent, third.sent, mended.sent) == (0, 1, 0, 1)
    assert in_vain.report["refusals"][0]["known"] is False
    assert mended.refused == {}
    assert_equal(world)
