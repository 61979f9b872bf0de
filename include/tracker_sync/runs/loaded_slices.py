"""The loaded slices: which packages did a slice's load use, and what do its lines rest on?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from tracker_sync.publish import publish
from tracker_sync.runs.slicing import Slice
from tracker_sync.staging.package import Package, Staged
from tracker_sync.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Basis:
    """What a line about an object rests on.

    Attributes:
        read_number: The number of the read that its version came with.
        program: The program without registration of an event; empty for all else.
    """

    read_number: int
    program: str = ""


@dataclass(frozen=True, slots=True)
class Loaded:
    """One slice as it was loaded.

    Attributes:
        piece: The slice.
        staged: Its tables, as `tables.TABLES`, in the source's names; the notes name its
            `read_number`. `AfterSlices.staged_tables` gives them in the destination's.
        bundles: What was made of them.
    """

    piece: Slice
    staged: Package
    bundles: Package

    @property
    def basis(self) -> Basis:
        """What the slice's lines rest on."""
        return Basis(self.bundles.notes["read_number"], self.piece.program)


def note_loaded(workspace: Workspace, piece: Slice, staged: Mapping[str, str], of: Staged) -> None:
    """Write down which packages a slice's `load` used, for the phases after the slices."""
    content = {"staged": dict(staged), "bundles": asdict(of)}
    publish(workspace.loaded(piece.slice), json.dumps(content).encode())


def packages_of(workspace: Workspace, piece: Slice) -> tuple[Staged, Staged] | None:
    """Return what a slice staged and the bundles made of it, if its load came to its end."""
    noted = workspace.loaded(piece.slice)
    if not (noted.is_file() and workspace.ledger(piece.slice).is_file()):
        return None
    named = json.loads(noted.read_bytes())
    return Staged(**named["staged"]), Staged(**named["bundles"])
