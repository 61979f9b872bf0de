"""Two servers that hold the same grown model, for each test anew."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dhis2_api.client import Dhis2Client
from dhis2_api.metadata_classes import KNOWN, Asked, read_many
from metadata.grown import grow
from metadata.objects import Fields
from servers import HIV, SENEGAL, Pair, grant, route, running
from tracker_sync.metadata import synchronise
from tracker_sync.metadata.canonical import canonical


#: `make deep` tries them all; what differs between them is held by the pairs.
VERSIONS = (
    ("2.40.9", "2.41.8", "2.42.4", "2.43.1")
    if os.environ.get("HYPOTHESIS_PROFILE") == "deep"
    else ("2.42.4",)
)
ALONE = route(programs=(HIV,))

#: Class and UID.
Name = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Ground:
    """The data files of two servers of one version.

    Attributes:
        source: Of one with the district, its people and the grown model.
        destination: Of one that got the model from it.
        version: Theirs.
    """

    source: Path
    destination: Path
    version: str


def ground_of(folder: Path, version: str) -> Ground:
    """Make the data files that the twins of a version begin with."""
    with (
        running(folder, "from", district=True, version=version) as source,
        running(folder, "to", version=version) as destination,
    ):
        grow(source)
        result = synchronise(source, destination, ALONE)
        assert result.findings == ()
        assert result.sent > 60
        grant(destination, SENEGAL)  # who sees no org unit can't see whether there is data
    return Ground(folder / "from", folder / "to", version)


@contextmanager
def twins(ground: Ground, folder: Path, *, inhabited: bool = False) -> Iterator[Pair]:
    """Run two servers with one model; only the source has people, or both have the same."""
    shutil.copy(ground.source, folder / "from")
    shutil.copy(ground.source if inhabited else ground.destination, folder / "to")
    with (
        running(folder, "from", version=ground.version) as source,
        running(folder, "to", version=ground.version) as destination,
    ):
        yield Pair(source, destination)


def written_at(client: Dhis2Client) -> dict[Name, str]:
    """Return when each object of the metadata was last written."""
    return {name: fields["lastUpdated"] for name, fields in _read(client, "id,lastUpdated")}


def contents(client: Dhis2Client) -> dict[Name, Fields]:
    """Return what each object of the metadata says."""
    return {name: canonical(name[0], fields) for name, fields in _read(client, ":owner")}


def shared(client: Dhis2Client) -> dict[Name, Any]:
    """Return who may see and change each object that has a sharing."""
    return {
        name: fields["sharing"]
        for name, fields in _read(client, "id,sharing")
        if fields.get("sharing")
    }


def moved(before: dict[Name, str], after: dict[Name, str]) -> set[Name]:
    """Return what was written in between, or is new."""
    assert before.keys() <= after.keys()
    return {name for name, stamp in after.items() if before.get(name) != stamp}


def _read(client: Dhis2Client, fields: str) -> list[tuple[Name, Fields]]:
    found = read_many(client, [Asked(plural, fields=fields) for plural in sorted(KNOWN)])
    rows = [((asked.plural, uid), row) for asked, by in found.items() for uid, row in by.items()]
    assert len(rows) > 60
    return rows
