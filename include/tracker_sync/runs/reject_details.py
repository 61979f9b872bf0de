"""The reject details: what a server said of what it refused, in a file that few may read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from dhis2_api.client import Dhis2Client
from dhis2_api.importer import ImportReport
from tracker_sync.publish import publishing
from tracker_sync.workspace import Workspace


# One row a refusal. The text quotes patients (reliability F10): it stands nowhere else.
DETAILS = pa.schema(
    [
        ("kind", pa.string()),
        ("uid", pa.string()),
        ("code", pa.string()),
        ("text", pa.string()),
        ("slice", pa.string()),
        ("at", pa.timestamp("us", "UTC")),
    ]
)


@contextmanager
def keeping_details(client: Dhis2Client, workspace: Workspace, part: str) -> Iterator[None]:
    """Write down what a server says of refusals meanwhile, whatever the end.

    Args:
        client: Speaks to the server; clients made of it are heard as well.
        workspace: The files of the run.
        part: The slice or the phase that sends.
    """
    heard: list[dict[str, object]] = []

    def hear(report: object) -> None:
        if isinstance(report, ImportReport):
            heard.extend(_rows(report, part))

    path = workspace.rejects(part)
    path.unlink(missing_ok=True)
    client.listen(hear)
    try:
        yield
    finally:
        if heard:
            _write(path, pa.Table.from_pylist(heard, DETAILS))


def gather_details(workspace: Workspace) -> None:
    """Make one file of those of all slices and phases of a run, beside its ledger."""
    parts = [pq.read_table(path) for path in sorted(workspace.run.glob("*/rejects.parquet"))]
    _write(workspace.run_rejects, pa.concat_tables([DETAILS.empty_table(), *parts]))


def _rows(report: ImportReport, part: str) -> Iterator[dict[str, object]]:
    now = datetime.now(UTC)
    for ref, texts in report.texts.items():
        for code, text in texts:
            of_whom = {"kind": ref.kind, "uid": ref.uid, "slice": part, "at": now}
            yield {**of_whom, "code": code, "text": text}


def _write(path: Path, details: pa.Table) -> None:
    with publishing(path) as draft:
        pq.write_table(details, draft, compression="zstd")
