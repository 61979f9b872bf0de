"""The step `plan_replay`: who is sent again because somebody asked for it, by which slice?"""

from __future__ import annotations

from datetime import timedelta

from dhis2_api.client import Dhis2Client
from dhis2_api.dialects import dialect_of
from dhis2_api.system import read_server
from tracker_sync.metadata.model import Model
from tracker_sync.reading.listing import Source
from tracker_sync.reading.lists import RunLists, scopes_of
from tracker_sync.reading.who_is_read import READ, WhoIsRead
from tracker_sync.route import Route
from tracker_sync.runs.plan import RunPlan, write_run_plan
from tracker_sync.runs.replay import Replay
from tracker_sync.servers import state_folder
from tracker_sync.staging.spilling import spilling
from tracker_sync.steps.plan_slices import divide_and_write, itself, void_ledgers
from tracker_sync.workspace import Workspace


def plan_replay(client: Dhis2Client, route: Route, workspace: Workspace, replay: Replay) -> RunPlan:
    """Write who is read again by which slice, in the files that `plan_slices` writes.

    Nothing is listed, and no window is read: no watermark moves. What is of a program that
    the route has no more is left alone.

    Args:
        client: Speaks to the source.
        route: The route.
        workspace: The run's files; the model must be there.
        replay: What was asked for.
    """
    void_ledgers(workspace)
    server = read_server(client)
    model = Model.read(workspace.model)
    source = Source(client, dialect_of(server.version), server.zone)
    lists = RunLists(source, route, scopes_of(route, model), timedelta(0))
    again = WhoIsRead(lists, replay.roots(state_folder(workspace))).with_open_refusals()
    with spilling(workspace.run, READ, itself) as read:
        read.add(again)
        slices = divide_and_write(workspace, read, model, route)
    plan = RunPlan(
        windows={},
        watermark_keys={},
        slices=slices,
        zone=source.zone.key,
        only_from_children=0,
        with_open_refusals=again.num_rows,
        passes=0,
        again=True,
    )
    write_run_plan(workspace.plan, plan)
    return plan
