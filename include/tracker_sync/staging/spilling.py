"""The spill: rows that wait on the disk, so that a long list takes no more memory than a short one.

They are given back in parts of some ten thousand, all rows of one person in one part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from os import SEEK_END
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import ipc

from tracker_sync.publish import private_folder, writing_to


#: So many rows are in memory at once.
ROWS_A_PART = 60_000
_ONE_OF = 64  # rows is looked at to tell where the parts' borders are

_OPTIONS = ipc.IpcWriteOptions(compression="lz4")


@contextmanager
def spilling(
    folder: Path, schema: pa.Schema, whose: Callable[[pa.Table], pa.ChunkedArray]
) -> Iterator[Spill]:
    """Yield a spill in *folder*, in files without names, which no kill leaves behind.

    Args:
        folder: Where there is room.
        schema: What the rows look like.
        whose: Says of each row whose it is.

    Raises:
        StagingUnusable: The disk is full, or the folder is not ours to write.
    """
    with ExitStack() as stack:
        yield Spill(lambda: stack.enter_context(_stream(folder, schema)), whose)


class Spill:
    """Rows on the disk: first all are written, then they are read."""

    def __init__(
        self, new: Callable[[], _Stream], whose: Callable[[pa.Table], pa.ChunkedArray]
    ) -> None:
        self._new, self._whose = new, whose
        self._as_written = new()
        self._sample: list[str] = []
        self._rows = 0
        self._parts: list[_Stream] = []

    def add(self, rows: pa.Table) -> None:
        """Write rows.

        Raises:
            StagingUnusable: The disk is full.
        """
        self._as_written.write(rows)
        self._rows += rows.num_rows
        whose = self._whose(rows)
        self._sample += [whose[row].as_py() for row in range(0, rows.num_rows, _ONE_OF)]

    def parts(self) -> Iterator[pa.Table]:
        """Yield all rows, in the order of whose they are from part to part, as written within."""
        self._parts = self._parts or self._divided(self._borders())
        for part in self._parts:
            yield part.table()

    def _borders(self) -> list[str]:
        sample, parts = sorted(self._sample), -(-self._rows // ROWS_A_PART)
        return sorted({sample[len(sample) * part // parts] for part in range(1, parts)})

    def _divided(self, borders: Sequence[str]) -> list[_Stream]:
        if not borders:
            return [self._as_written]
        parts = [self._new() for _ in range(len(borders) + 1)]
        for rows in self._as_written.tables():
            left = rows
            for part, border in zip(parts, borders, strict=False):
                before = pc.less(self._whose(left), border)
                part.write(left.filter(before))
                left = left.filter(pc.invert(before))
            parts[-1].write(left)
        return parts


class _Stream:
    """One file of rows."""

    def __init__(self, folder: Path, schema: pa.Schema, file: IO[bytes]) -> None:
        self._folder, self._schema, self._file = folder, schema, file
        self._writer = ipc.new_stream(file, schema, options=_OPTIONS)

    def write(self, rows: pa.Table) -> None:
        with writing_to(self._folder):
            self._writer.write_table(rows.combine_chunks())

    def tables(self) -> Iterator[pa.Table]:
        with writing_to(self._folder):
            self._file.flush()
        if not self._file.seek(0, SEEK_END):
            return  # the schema is written with the first rows
        self._file.seek(0)
        with ipc.open_stream(self._file) as stream:
            for batch in stream:
                yield pa.Table.from_batches([batch])

    def table(self) -> pa.Table:
        return pa.concat_tables([self._schema.empty_table(), *self.tables()])


@contextmanager
def _stream(folder: Path, schema: pa.Schema) -> Iterator[_Stream]:
    with ExitStack() as stack:
        with writing_to(folder):
            file = stack.enter_context(TemporaryFile(dir=private_folder(folder)))
        yield _Stream(folder, schema, file)
