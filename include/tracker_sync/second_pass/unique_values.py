"""The unique values: who else of this run has the same one?

DHIS2 does not protect them against requests under way at once: two people with one
national id are both stored (measured: Writing). So of all people of a run, whatever
their slice, only the first who comes with a value is sent; who comes with it later waits
for `second_pass`, which sends one after another. Digests are kept, with a key of the run.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tracker_sync.metadata.model import Model
from tracker_sync.outcome import Entry, Outcome
from tracker_sync.planning.objects import Object, Tree
from tracker_sync.publish import private_folder


WAITS = "SYNC_UNIQUE_WAITS"
TWICE = "SYNC_UNIQUE_TWICE"
_PATIENCE = 120.0  # seconds; another slice's batch takes some milliseconds

_TABLES = """
CREATE TABLE IF NOT EXISTS secret (key BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS holder (digest BLOB PRIMARY KEY, uid TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS waiting (
    digest BLOB, uid TEXT, PRIMARY KEY (digest, uid)
) WITHOUT ROWID;
"""


def unique_digests(tree: Tree, model: Model, secret: bytes) -> dict[bytes, str]:
    """Return a keyed digest of each unique value of a tree -> the attribute.

    Args:
        tree: A person with all below; other trees have no attributes.
        model: Says which attributes are unique, and which of them in an org unit only.
        secret: The key; equal values have equal digests under one key.
    """
    found = [pair for item in tree.objects for pair in _unique_values(item, model)]
    place = json.loads(tree.objects[0].content or "{}").get("orgUnit", "") if found else ""
    digests: dict[bytes, str] = {}
    for attribute, value in found:
        where = place if model.unique[attribute] else ""
        text = f"{attribute} {where} {value}".encode()
        digests[hashlib.blake2b(text, key=secret, digest_size=16).digest()] = attribute
    return digests


def _unique_values(item: Object, model: Model) -> Iterator[tuple[str, str]]:
    content = item.content or ""
    if item.ref.kind == "EVENT" or not any(attribute in content for attribute in model.unique):
        return
    for row in json.loads(content).get("attributes") or ():
        if row["attribute"] in model.unique and row.get("value"):
            yield row["attribute"], row["value"]


@dataclass(frozen=True, slots=True)
class UniqueValues:
    """What the people of a run have of unique values, shared by its slices.

    Attributes:
        path: The database of the run.
        model: Says which attributes are unique.
    """

    path: Path
    model: Model

    def waiting(self, trees: Iterable[Tree]) -> frozenset[str]:
        """Note whose values these are, and return who must wait because another was first."""
        if not self.model.unique:
            return frozenset()
        with self._database() as database:
            key = _secret(database)
            wanted = [
                (digest, tree.uid)
                for tree in trees
                for digest in unique_digests(tree, self.model, key)
            ]
            database.executemany("INSERT OR IGNORE INTO holder VALUES (?, ?)", wanted)
            late = [(digest, uid) for digest, uid in wanted if _holder(database, digest) != uid]
            database.executemany("INSERT OR IGNORE INTO waiting VALUES (?, ?)", late)
        return frozenset(uid for _, uid in late)

    def shared(self) -> Sequence[frozenset[str]]:
        """Return the people who came with one value, for each value that more than one had."""
        if not self.path.is_file():
            return []
        with self._database() as database:
            rows = database.execute(
                "SELECT digest, waiting.uid, holder.uid FROM waiting JOIN holder USING (digest)"
            ).fetchall()
        groups: dict[bytes, set[str]] = {}
        for digest, *uids in rows:
            groups.setdefault(digest, set()).update(uids)
        return [frozenset(uids) for uids in groups.values()]

    def secret(self) -> bytes:
        """Return the key of the run's digests."""
        with self._database() as database:
            return _secret(database)

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        """Yield the database in one transaction, which other slices wait for."""
        private_folder(self.path.parent)
        self.path.touch(mode=0o600)
        with closing(sqlite3.connect(self.path, _PATIENCE, isolation_level=None)) as database:
            database.execute("PRAGMA synchronous = OFF")  # it is worth nothing after a power cut
            database.executescript(_TABLES)
            database.execute("BEGIN IMMEDIATE")
            yield database
            database.execute("COMMIT")


def _secret(database: sqlite3.Connection) -> bytes:
    row = database.execute("SELECT key FROM secret").fetchone()
    if row is None:
        row = (secrets.token_bytes(32),)
        database.execute("INSERT INTO secret VALUES (?)", row)
    key: bytes = row[0]
    return key


def _holder(database: sqlite3.Connection, digest: bytes) -> str:
    (uid,) = database.execute("SELECT uid FROM holder WHERE digest = ?", (digest,)).fetchone()
    return str(uid)


def held_back(tree: Tree) -> list[Entry]:
    """Return the lines of somebody who waits: all below waits too."""
    return [_waits(tree, item) for item in tree.objects]


def _waits(tree: Tree, item: Object) -> Entry:
    return Entry(
        item.ref,
        tree.tracked_entity,
        Outcome.REFUSED,
        code=WAITS,
        updated_at=item.updated_at,
        content_hash=item.content_hash,
    )
