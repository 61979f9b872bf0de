"""What is owed: which unique values were given up and may have to be given back, come what may?

A value that somebody gave up is nowhere else: the source has another one by now. So it is
written down before it goes, in the run's folder, where patients' values lie anyway; and any
run of the route finds it there, should this one never come to its end.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace

from tracker_sync.publish import publish
from tracker_sync.servers import pair_of
from tracker_sync.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Owed:
    """A unique value that somebody has at the destination and gives up.

    Attributes:
        person: The UID of who has it.
        attribute: The attribute.
        value: What to give back.
    """

    person: str
    attribute: str
    value: str = field(repr=False)


def note_owed(workspace: Workspace, owed: Owed) -> None:
    """Write down that somebody is about to give up a value."""
    _write(workspace, [*_read(workspace), owed])


def owed_of(workspace: Workspace) -> list[Owed]:
    """Return what any run of the route between these servers wrote down and did not settle."""
    return [owed for run in _with_debts(workspace) for owed in _read(run)]


def settle_owed(workspace: Workspace, settled: Iterable[Owed]) -> None:
    """Forget what is given back, or is nobody's need any more, whichever run wrote it down."""
    done = {*settled}
    for run in _with_debts(workspace):
        left = [owed for owed in _read(run) if owed not in done]
        if left:
            _write(run, left)
        else:
            run.given_up.unlink()


def _with_debts(workspace: Workspace) -> list[Workspace]:
    runs = (replace(workspace, run_id=folder.name) for folder in workspace.run.parent.glob("*"))
    mine = pair_of(workspace)
    return [run for run in runs if run.given_up.is_file() and pair_of(run) == mine]


def _read(run: Workspace) -> list[Owed]:
    if not run.given_up.is_file():
        return []
    return [Owed(**line) for line in json.loads(run.given_up.read_bytes())]


def _write(run: Workspace, owed: Iterable[Owed]) -> None:
    publish(run.given_up, json.dumps([asdict(each) for each in owed]).encode())
