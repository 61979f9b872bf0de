"""What a replay does otherwise than a run: plans what was asked for, and moves no watermark."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from airflow.sdk import Context, Param

from dhis2_airflow.run_operators import RouteOperator, SettleOperator
from dhis2_api.client import Dhis2Client
from tracker_sync.leases.lease import held
from tracker_sync.runs.replay import Replay
from tracker_sync.steps.plan_replay import plan_replay
from tracker_sync.steps.settle import Settlement


_LIST: dict[str, Any] = {"type": ["null", "array"], "items": {"type": "string"}}

# What a person may ask of a replay; shown in the form that starts one.
ASKED_AGAIN: Mapping[str, Param] = {
    "codes": Param(
        None,
        **_LIST,
        title="codes",
        description_md=(
            "Send again what is refused with one of these codes, e.g. `E1125`, one on each line. "
            "Empty: whatever the code.\n\n"
            "Renvoyer ce qui est refusé avec l'un de ces codes, p. ex. `E1125`, un par ligne. "
            "Vide : quel que soit le code."
        ),
    ),
    "uids": Param(
        None,
        **_LIST,
        title="uids",
        description_md=(
            "Send these objects again, refused or not, each with the person it belongs to, one "
            "UID on each line. Empty: everything that is refused.\n\n"
            "Renvoyer ces objets, refusés ou non, chacun avec la fiche dont il fait partie, un "
            "UID par ligne. Vide : tout ce qui est refusé."
        ),
    ),
}


class PlanReplayOperator(RouteOperator):
    """Divide into slices who was asked for."""

    uses = "source"

    def execute(self, context: Context) -> list[dict[str, Any]]:
        """Return the slices, which the task group is mapped over."""
        workspace, replay = self.workspace(context), Replay.of(context["params"])
        with self.source() as source, self.destination() as destination:
            held(destination, self.route, workspace)
            plan = plan_replay(source, self.route, workspace, replay)
        to_read = sum(piece.to_read for piece in plan.slices)
        self.say([f"{to_read} people and events to send again, in {len(plan.slices)} slices"])
        return [asdict(piece) for piece in plan.slices]


class SettleReplayOperator(SettleOperator):
    """Sum the replay up; it accounts for no window."""

    def keep(self, context: Context, destination: Dhis2Client, settlement: Settlement) -> None:
        """Keep nothing but the report and the state."""
