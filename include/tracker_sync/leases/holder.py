"""The holder: which run, of which installation, holds a lease?

Two installations of Airflow may run one route at the same hour under the same run id. The
token tells them apart: it lies in the run's own folder, which only its own tasks see.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass

from tracker_sync.publish import publish
from tracker_sync.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Holder:
    """One run; all its tasks are the same holder.

    Attributes:
        run_id: Airflow's run id, for people.
        token: What no other run has.
    """

    run_id: str
    token: str


def holder_of(workspace: Workspace) -> Holder:
    """Return who a run is, from the first time on that it is asked for."""
    if not workspace.holder.is_file():
        holder = Holder(workspace.run_id, secrets.token_hex(16))
        publish(workspace.holder, json.dumps(asdict(holder)).encode())
    return Holder(**json.loads(workspace.holder.read_bytes()))


def ever_held(workspace: Workspace) -> bool:
    """Whether a run came so far that it may hold a lease."""
    return workspace.holder.is_file()
