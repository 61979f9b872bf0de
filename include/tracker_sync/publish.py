"""Publishing: how a file appears whole, or not at all."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class StagingUnusable(Exception):
    """The staging folder cannot be written; says where, why and what to do."""


def private_folder(path: Path) -> Path:
    """Make *path* with its parents, readable by us alone, and return it."""
    for folder in reversed([path, *path.parents]):
        if not folder.exists():
            folder.mkdir(mode=0o700, exist_ok=True)
    return path


@contextmanager
def writing_to(folder: Path) -> Iterator[None]:
    """Let what goes wrong in writing to *folder* say what to do.

    Raises:
        StagingUnusable: The disk is full, or the folder is not ours to write.
    """
    try:
        yield
    except OSError as error:
        raise StagingUnusable(
            f"{folder} cannot be written ({error.strerror}): make room, or give the user of "
            "Airflow the right to write there, or name another folder in TRACKER_SYNC_STAGING"
        ) from error


def _itself(path: Path, _: Path) -> Path:
    return path


@contextmanager
def publishing(path: Path, named: Callable[[Path, Path], Path] = _itself) -> Iterator[Path]:
    """Yield a place to write; on a clean end it becomes *path* in one rename.

    Whoever looks at *path* sees the old file or the new one, also after a kill or
    a power cut (reliability F16). The file is readable by us alone.

    Args:
        path: What the file shall be called.
        named: Returns its name instead, of *path* and of what was written.

    Raises:
        StagingUnusable: The disk is full, or the folder is not ours to write.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    try:
        with writing_to(path.parent):
            private_folder(path.parent)
            draft.touch(mode=0o600)
            yield draft
            _flush(draft)
            draft.replace(named(path, draft))
            _flush(path.parent)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def publish(path: Path, content: bytes) -> None:
    """Write *content* to *path* in one step."""
    with publishing(path) as draft:
        draft.write_bytes(content)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
