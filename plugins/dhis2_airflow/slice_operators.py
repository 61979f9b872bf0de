"""The steps of one slice as Airflow tasks: each unpacks, delegates and reports."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from airflow.sdk import Context

from dhis2_airflow.run_operators import RouteOperator
from dhis2_airflow.there import destination_of
from tracker_sync.runs.report_text import slice_line
from tracker_sync.runs.slicing import Slice
from tracker_sync.staging.package import Staged
from tracker_sync.steps.extract import extract
from tracker_sync.steps.load import load
from tracker_sync.steps.transform import transform


class SliceOperator(RouteOperator):
    """One step of one slice.

    :param piece: The slice, as `PlanSlicesOperator` returned it.
    :param staged: What the step before it staged: `manifest` and `sha256`.
    """

    template_fields = ("piece", "staged")

    # Of two tasks that could run, the heavier does: a slice is loaded before the next is read.
    weight = 1

    def __init__(self, *, piece: dict[str, Any], staged: Any = None, **kwargs: Any) -> None:
        kwargs.setdefault("priority_weight", self.weight)
        super().__init__(**kwargs)
        self.piece = piece
        self.staged = staged


class ExtractOperator(SliceOperator):
    """Read a slice's people and stage them as Parquet."""

    uses = "source"

    def execute(self, context: Context) -> dict[str, str]:
        """Return where the package lies."""
        workspace, attempt = self.workspace(context), context["ti"].try_number
        with self.source() as source:
            done = extract(source, self.route, workspace, self.piece["slice"], attempt)
        rows = ", ".join(f"{count} {name}" for name, count in done.rows.items())
        self.say([f"staged {rows}; {done.absent} did not come"])
        return asdict(done.package)


class TransformOperator(SliceOperator):
    """Turn staged tables into bundles, asking no server."""

    weight = 2

    def execute(self, context: Context) -> dict[str, str]:
        """Return where the bundles lie."""
        staged = Staged(**(self.staged or {}))
        done = transform(self.workspace(context), staged, self.route.mapping)
        self.say([f"{done.roots} people or events made into bundles"])
        return asdict(done.package)


class LoadOperator(SliceOperator):
    """Send what differs, and account for every object."""

    uses = "destination"
    weight = 3

    def __init__(self, **kwargs: Any) -> None:
        # A slot of the pool is a request under way.
        kwargs.setdefault("pool_slots", kwargs["route"].batches.in_parallel)
        super().__init__(**kwargs)

    def execute(self, context: Context) -> None:
        """Push the XCom `import_report`."""
        piece, bundles = Slice(**self.piece), Staged(**(self.staged or {}))
        workspace = self.workspace(context)
        with self.source() as source, self.destination() as client:
            there = destination_of(context, (source, client), self.route, workspace)
            report = load(there, self.route, workspace, piece, bundles)
        self.say([slice_line(report)])
        context["ti"].xcom_push("import_report", report)
