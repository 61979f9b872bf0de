"""The story: three runs and a comparison, each checked before the next is told."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from tracker_sync.routes import load_route
from tracker_sync.runs.report_text import report_lines
from tracker_sync_demo.compare import compare
from tracker_sync_demo.edits import Edits
from tracker_sync_demo.scratch_airflow import PROJECT, ScratchAirflow
from tracker_sync_demo.servers import SandboxServer
from tracker_sync_demo.whole_night import edit_everything


ROUTE = PROJECT / "include" / "routes" / "demo.yaml"

Report = dict[str, Any]


class NotAsTold(Exception):
    """Something did not happen as the demo tells it: a defect, not a mistake of yours."""


@dataclass(slots=True)
class Story:
    """The demo as it is told on a terminal.

    Attributes:
        source: The server that holds the district.
        destination: The server that is empty.
        airflow: Runs the DAG.
        say: Prints a line.
    """

    source: SandboxServer
    destination: SandboxServer
    airflow: ScratchAirflow
    say: Callable[[str], None]

    def tell(self) -> None:
        """Run the story from beginning to end.

        Raises:
            NotAsTold: At the first thing that is not so.
        """
        self.first_run()
        edits = self.edit()
        self.second_run(edits)
        self.third_run()
        self.compare(edits)

    def first_run(self) -> None:
        """Copy everything."""
        self._chapter("First run: an empty destination gets the metadata, then everything")
        report = self._run(green=True)
        _must(report["totals"]["created"] > 1_000, "the first run created the district's records")
        folder = Path(report["staging"])
        package = next(iter(sorted(folder.glob("*/try-*"))))
        self.say("\nThe Parquet lies as it was staged; read it like this:")
        self.say("  import pandas as pd")
        self.say(f"  events = pd.read_parquet('{package / 'events.parquet'}')")
        self.say("  print(events.groupby(['programStage', 'status']).size())")

    def edit(self) -> Edits:
        """Let the source live a little."""
        self._chapter("A night at the source")
        with self.source.client("source") as client:
            edits = edit_everything(client)
        self.say("a value changed, a value cleared, an event added, an enrollment completed,")
        self.say("a notified case (an event without registration) described anew,")
        self.say("an attribute, a place and a follow-up cleared, a child moved and given away,")
        self.say("a mother and a child joined, others parted, a note and a file added,")
        self.say("an event, an enrollment and a person deleted,")
        self.say("and an event that uses an option code which then was retired")
        return edits

    def second_run(self, edits: Edits) -> None:
        """Copy exactly what changed, and be red because of the refusal."""
        self._chapter("Second run: exactly what changed; red, because something was refused")
        report = self._run(green=False)
        moved = _moved(Path(report["staging"]))
        wanted = (edits.created, edits.changed, edits.deleted)
        _must(moved == wanted, "exactly the edited records moved")
        refused = {item["uid"] for item in report["refusals"]}
        _must(refused == edits.refused, "exactly the retired code was refused")

    def third_run(self) -> None:
        """Copy nothing."""
        self._chapter("Third run: nothing left to send")
        report = self._run(green=True)
        _must(report["totals"]["sent"] == 0, "nothing was sent")
        self.say("0 objects sent")

    def compare(self, edits: Edits) -> None:
        """Ask both servers for everything."""
        self._chapter("Both servers, record by record")
        with self.source.client("source") as ours, self.destination.client("destination") as theirs:
            found = compare(ours, theirs, load_route(ROUTE).programs)
        differing = {uid for _, uid in found.differing}
        _must(differing == edits.refused, "the servers differ in what was refused, nothing else")
        self.say(f"{found.records} records: equal, {len(differing)} refused as expected")
        for kind in ("note", "file", "relationship", "owner"):
            _must(found.equal.get(kind, 0) > 0, f"some {kind} was compared")
        self.say(", ".join(f"{count} {kind}s" for kind, count in sorted(found.equal.items())))

    def _run(self, *, green: bool) -> Report:
        began, before = time.monotonic(), len(self.airflow.reports())
        was_green = self.airflow.run_dag(lambda line: self.say(f"  {line}"))
        reports = self.airflow.reports()
        _must(len(reports) == before + 1, f"the run wrote its report (see {self.airflow.log})")
        report: Report = reports[-1]
        self.say("")
        for line in report_lines(report):
            self.say(line)
        colour = "green" if was_green else "red"
        self.say(f"the run is {colour}, {time.monotonic() - began:.0f} s with Airflow's start")
        _must(was_green is green, f"the run is {'green' if green else 'red'}")
        return report

    def _chapter(self, title: str) -> None:
        self.say(f"\n{title}\n{'-' * len(title)}")


def _moved(run: Path) -> tuple[frozenset[str], ...]:
    """Return the UIDs that a run created, changed and deleted, from its ledgers."""
    rows = [row for path in run.glob("*/ledger.parquet") for row in pq.read_table(path).to_pylist()]
    actions = ("created", "changed", "deleted")
    return tuple(frozenset(row["uid"] for row in rows if row["action"] == it) for it in actions)


def _must(so: bool, what: str) -> None:  # noqa: FBT001  # reads as a sentence: it must be so
    if not so:
        raise NotAsTold(f"not so: {what}")
