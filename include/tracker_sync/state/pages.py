"""The pages of the state: which files it lies in, and how one is written and read.

A page is never changed: it is published whole, and removed only by a compaction that
has published what it held. So nobody needs a lock to read, write or compact.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tracker_sync.publish import publishing, sha256_of


# One line for each time an object was met. No value of a patient; docs/state.md tells more.
STATE = pa.schema(
    [
        ("kind", pa.string()),
        ("uid", pa.string()),
        ("tracked_entity", pa.string()),
        ("lone_event", pa.string()),
        ("program", pa.string()),
        ("outcome", pa.string()),
        ("code", pa.string()),
        ("content_hash", pa.string()),
        ("source_updated_at", pa.timestamp("ms")),
        ("destination_updated_at", pa.timestamp("ms")),
        ("destination_uid", pa.string()),
        ("model_hash", pa.string()),
        ("run", pa.string()),
        ("read_number", pa.int64()),
        ("read_at", pa.timestamp("us", "UTC")),
        ("at", pa.timestamp("us", "UTC")),
    ],
    metadata={"tracker_sync.state": "3"},
)
_VERSION = b"tracker_sync.state"
_COMPACTED = "compacted"
_LINES_AT_ONCE = 20_000
_RUN = STATE.get_field_index("run")
# The rest hardly repeats: a dictionary of it costs more than it saves.
_REPEATING = [
    *("kind", "tracked_entity", "lone_event", "program", "outcome", "code", "model_hash"),
    *("run", "read_number", "read_at", "at"),
]

# Read as they are stored, as numbers: half the time.
_FEW_VALUES = ["kind", "outcome", "code", "model_hash"]
_NUMBERED = pa.dictionary(pa.int32(), pa.string())
_AS_READ = pa.schema(
    [field.with_type(_NUMBERED) if field.name in _FEW_VALUES else field for field in STATE]
)


class StateUnusable(Exception):
    """A page of the state cannot be read; says which, why and what to do."""


class PageVanished(Exception):
    """A page was removed while it was wanted: what it held is in a compacted one by now."""


@contextmanager
def new_page(folder: Path, written_by: str = _COMPACTED) -> Iterator[pq.ParquetWriter]:
    """Yield what writes tables of `STATE` into a page, which appears whole or not at all.

    Its name ends in its digest: Parquet's own checksums leave out the numbers that say
    where a column begins, and one flipped bit there was read as other values.

    Args:
        folder: The state.
        written_by: The slice it is about; a compaction, if not said.

    Raises:
        StagingUnusable: The disk is full, or the folder is not ours to write.
    """
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%S}--{written_by}--{secrets.token_hex(8)}.parquet"
    with (
        publishing(folder / name, _sealed) as draft,
        pq.ParquetWriter(draft, STATE, compression="zstd", use_dictionary=_REPEATING) as writer,
    ):
        yield writer


def _sealed(page: Path, draft: Path) -> Path:
    return page.with_stem(f"{page.stem}--{sha256_of(draft)}")


def pages(folder: Path) -> set[Path]:
    """Return the pages there are."""
    return {*folder.glob("[!.]*.parquet")}


def is_compacted(page: Path) -> bool:
    """Whether a page was made of others."""
    return f"--{_COMPACTED}--" in page.name


def parts(
    there: Iterable[Path], columns: list[str] | None = None, but_run: str | None = None
) -> Iterator[pa.Table]:
    """Yield what pages hold, some ten thousand lines at a time; *columns*, or all.

    Of what *but_run* alone wrote nothing need be among it.

    Raises:
        PageVanished: A compaction has removed a page.
        StateUnusable: A page is damaged, or of another release.
    """
    gathered: list[pa.RecordBatch] = []
    for page in there:
        for batch in _batches(page, columns, but_run):
            gathered.append(batch)
            if sum(map(len, gathered)) >= _LINES_AT_ONCE:
                yield pa.Table.from_batches(gathered)
                gathered = []
    if gathered:
        yield pa.Table.from_batches(gathered)


def _batches(
    page: Path, columns: list[str] | None, but_run: str | None
) -> Iterator[pa.RecordBatch]:
    try:
        _require_whole(page)
        with pq.ParquetFile(pa.OSFile(str(page)), read_dictionary=_FEW_VALUES) as file:
            _require_our_version(page, file)
            yield from _batches_of(file, columns or STATE.names, but_run)
    except FileNotFoundError as error:
        raise PageVanished(page.name) from error
    except (pa.ArrowException, OSError, LookupError, ValueError) as error:
        raise StateUnusable(f"{page} cannot be read ({type(error).__name__}): {_REMEDY}") from error


def _require_whole(page: Path) -> None:
    held, named = sha256_of(page), page.stem.split("--")[-1]
    if len(named) != len(held):
        raise StateUnusable(f"{page} {_OF_ANOTHER}")
    if held != named:
        raise ValueError("it is not what was written")


def _batches_of(
    file: pq.ParquetFile, columns: list[str], but_run: str | None
) -> Iterator[pa.RecordBatch]:
    groups = [
        number
        for number in range(file.num_row_groups)
        if not _all_by(but_run, file.metadata.row_group(number))
    ]
    for batch in file.iter_batches(_LINES_AT_ONCE, groups, columns, use_threads=False):
        yield batch.select(columns)


def _all_by(run: str | None, group: pq.RowGroupMetaData) -> bool:
    """Whether one run wrote all lines of a row group, as its own least and greatest value say."""
    spread = group.column(_RUN).statistics
    return spread is not None and spread.has_min_max and spread.min == run == spread.max


_REMEDY = "move its folder away; the next run compares all it reads (docs/state.md, Loss)"
_OF_ANOTHER = f"is of another release of tracker-sync: {_REMEDY}"


def _require_our_version(page: Path, file: pq.ParquetFile) -> None:
    version = (file.metadata.metadata or {}).get(_VERSION)
    if version != STATE.metadata[_VERSION]:
        raise StateUnusable(f"{page} {_OF_ANOTHER}")
    if not file.schema_arrow.equals(_AS_READ):
        raise ValueError("the columns are not those of this version")
