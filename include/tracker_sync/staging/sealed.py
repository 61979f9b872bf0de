"""Sealed tables: files of a run that are found out if they are not what was written.

Parquet's own checksums speak of its pages alone: with a flipped bit in a header a file
may be read as one without rows, and nobody would miss those who were to be read.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tracker_sync.publish import publish, publishing, sha256_of


# What is encoded is in memory until its row group is written.
_ROWS_A_GROUP = 20_000


class BrokenSeal(Exception):
    """A file of a run is not what was written; says which, and what to do."""


def write_sealed(path: Path, table: pa.Table) -> None:
    """Write a table in one step, and its SHA-256 beside it."""
    with writing_sealed(path, table.schema) as file:
        file.write_table(table, row_group_size=_ROWS_A_GROUP)


@contextmanager
def writing_sealed(path: Path, schema: pa.Schema) -> Iterator[pq.ParquetWriter]:
    """Yield what writes a table part by part; it appears whole, with its SHA-256 beside it."""
    seal(path).unlink(missing_ok=True)
    with publishing(path) as draft, _writer(draft, schema) as file:
        yield file
    publish(seal(path), sha256_of(path).encode())


def _writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    # UIDs and hashes hardly repeat, and what does is small anyway: zstd sees it.
    return pq.ParquetWriter(
        path, schema, compression="zstd", use_dictionary=False, write_page_checksum=True
    )


def check_seal(path: Path, remedy: str) -> None:
    """Return if a file is what was written.

    Args:
        path: The file.
        remedy: What makes it anew, for the message.

    Raises:
        BrokenSeal: It is absent or differs, or its seal is.
    """
    stamp = seal(path)
    if not (path.is_file() and stamp.is_file() and stamp.read_bytes() == sha256_of(path).encode()):
        raise BrokenSeal(f"{path.name} of {path.parent.name} is absent or damaged: {remedy}")


def seal(path: Path) -> Path:
    """Return where the SHA-256 of a file stands."""
    return path.with_suffix(".sha256")
