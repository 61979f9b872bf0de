"""The package: what one try of a slice staged, immutable and checked before use."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tracker_sync.publish import publish, publishing, sha256_of
from tracker_sync.staging.tables import TABLES, Tables


#: Of the tables and the manifest; it is in both. `docs/staging.md` says what changed when.
SCHEMA_VERSION = 5
SCHEMA_KEY = "tracker_sync.schema_version"
MANIFEST = "manifest.json"

# Dictionaries and statistics of so small row groups cost a third of the writing, and
# make the files larger: zstd sees the repeats anyway.
_SETTINGS: Mapping[str, Any] = {
    "compression": "zstd",
    "use_dictionary": False,
    "write_statistics": False,
    "write_page_checksum": True,
}

# Each row group costs, however small: some hundred people make one.
_BYTES_A_GROUP = 4_000_000


class DamagedPackage(Exception):
    """A staged file is not what its manifest says; extract the slice again."""


class OtherSchema(DamagedPackage):
    """A package was staged by a release with other tables; extract the slice again."""


@dataclass(frozen=True, slots=True)
class Staged:
    """What travels between tasks: where a manifest is, and what it must hash to."""

    manifest: str
    sha256: str


@dataclass(slots=True)
class PackageWriter:
    """Writes the tables of one package, row group by row group.

    The same people are in the same row group of every file, so that a reader can
    rebuild them in bounded memory.

    Attributes:
        writers: Table -> what writes its file.
        rows: Table -> how many rows it has.
        notes: What the manifest says besides.
        gathered: What waits until it is worth a row group.
        bytes: How many that is.
    """

    writers: Mapping[str, pq.ParquetWriter]
    rows: dict[str, int] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)
    gathered: list[Mapping[str, pa.Table]] = field(default_factory=list)
    bytes: int = 0

    def add(self, tables: Mapping[str, pa.Table]) -> None:
        """Append to every file what belongs into one row group."""
        self.gathered.append(tables)
        self.bytes += sum(table.nbytes for table in tables.values())
        if self.bytes > _BYTES_A_GROUP:
            self.flush()

    def flush(self) -> None:
        """Write what was gathered as one row group of every file."""
        gathered, self.gathered, self.bytes = self.gathered, [], 0
        for name, writer in self.writers.items() if gathered else ():
            table = pa.concat_tables([tables[name] for tables in gathered]).combine_chunks()
            writer.write_table(table, row_group_size=max(table.num_rows, 1))
            self.rows[name] = self.rows.get(name, 0) + table.num_rows


@contextmanager
def writing_package(
    folder: Path, schemas: Mapping[str, pa.Schema] = TABLES
) -> Iterator[PackageWriter]:
    """Write a package into *folder*: its files first, its manifest last."""
    with ExitStack() as stack:
        drafts = {name: stack.enter_context(publishing(_file(folder, name))) for name in schemas}
        writers = {
            name: stack.enter_context(
                pq.ParquetWriter(
                    drafts[name],
                    schema.with_metadata({SCHEMA_KEY: str(SCHEMA_VERSION)}),
                    **_SETTINGS,
                )
            )
            for name, schema in schemas.items()
        }
        writer = PackageWriter(writers)
        yield writer
        writer.flush()
    _write_manifest(folder, writer)


def staged(folder: Path) -> Staged:
    """Return what a task passes on about the package in *folder*."""
    manifest = folder / MANIFEST
    return Staged(str(manifest), sha256_of(manifest))


def open_package(package: Staged) -> Package:
    """Open a package after checking every file of it.

    Raises:
        DamagedPackage: A file is absent or differs from what was written.
        OtherSchema: Another release wrote it.
    """
    manifest = Path(package.manifest)
    _check(manifest, package.sha256)
    content = json.loads(manifest.read_bytes())
    if content["schema_version"] != SCHEMA_VERSION:
        raise OtherSchema(
            f"{_place(manifest)} was staged by another release (schema "
            f"{content['schema_version']}, here {SCHEMA_VERSION}): {_AGAIN}"
        )
    for name, file in content["files"].items():
        _check(_file(manifest.parent, name), file["sha256"])
    return Package(manifest.parent, content)


@dataclass(frozen=True, slots=True)
class Package:
    """A package whose files were checked.

    Attributes:
        folder: Where it lies.
        manifest: What its manifest says: `files` with `rows` and `sha256`, `notes`.
    """

    folder: Path
    manifest: Mapping[str, Any]

    @property
    def notes(self) -> Mapping[str, Any]:
        """What the writer noted beside the tables."""
        notes: Mapping[str, Any] = self.manifest["notes"]
        return notes

    def rows(self, name: str) -> int:
        """Return how many rows a table has."""
        return int(self.manifest["files"][name]["rows"])

    def row_groups(self, *only: str) -> Iterator[Tables]:
        """Yield the tables group by group, *only* those named if any is: a closed set of people."""
        with ExitStack() as stack:
            files = {
                name: stack.enter_context(
                    pq.ParquetFile(_file(self.folder, name), page_checksum_verification=True)
                )
                for name in only or self.manifest["files"]
            }
            groups = next(iter(files.values())).num_row_groups
            for index in range(groups):
                # A group is small: sharing it out among threads costs more than they save.
                yield {
                    name: file.read_row_group(index, use_threads=False)
                    for name, file in files.items()
                }

    def columns(self, name: str, *only: str) -> pa.Table:
        """Return some columns of a table, the others unread; in lists too, `a.list.element.b`."""
        path = _file(self.folder, name)
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            return file.read([*only])


def _file(folder: Path, name: str) -> Path:
    return folder / f"{name}.parquet"


def _write_manifest(folder: Path, writer: PackageWriter) -> None:
    files = {
        name: {"rows": writer.rows.get(name, 0), "sha256": sha256_of(_file(folder, name))}
        for name in writer.writers
    }
    content = {"schema_version": SCHEMA_VERSION, "files": files, "notes": writer.notes}
    publish(folder / MANIFEST, json.dumps(content, sort_keys=True).encode())


def _check(path: Path, sha256: str) -> None:
    if not path.is_file() or sha256_of(path) != sha256:
        raise DamagedPackage(f"{_place(path)} is absent or damaged: {_AGAIN}")


def _place(path: Path) -> str:
    return f"{path.name} of {path.parent.parent.name}, {path.parent.name},"


_AGAIN = "clear the slice's `extract` so that it is staged again"
