"""The step `transform`: turn a staged slice into bundles, without asking any server."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from pathlib import Path

from tracker_sync.bundling.bundles import BUNDLES
from tracker_sync.bundling.not_happened import LeftOut
from tracker_sync.bundling.projection import Projection
from tracker_sync.mapping.mapped_tables import map_tables
from tracker_sync.mapping.marked import marked
from tracker_sync.mapping.terms import SAME_NAMES, MappingTerms
from tracker_sync.mapping.there import model_there
from tracker_sync.metadata.model import Model
from tracker_sync.planning.objects import as_bundles
from tracker_sync.staging.file_values import FILES, file_values
from tracker_sync.staging.package import Staged, open_package, staged, writing_package
from tracker_sync.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Transformed:
    """What a slice's transform made.

    Attributes:
        package: Where the bundles lie.
        roots: How many people, or events without registration, they hold.
    """

    package: Staged
    roots: int


def transform(
    workspace: Workspace, extracted: Staged, terms: MappingTerms = SAME_NAMES
) -> Transformed:
    """Make a row of `bundles.BUNDLES` of each staged person or lone event, row group by row group.

    Args:
        workspace: The files of the run.
        extracted: What was staged.
        terms: What the destination calls otherwise.

    Raises:
        DamagedPackage: A staged file is not what was written.
    """
    began = time.monotonic()
    model = Model.read(workspace.model)
    projection = Projection.of(model_there(model, terms))
    package = open_package(extracted)
    folder = Path(extracted.manifest).parent / "bundles"
    with writing_package(folder, {"bundles": BUNDLES, "files": FILES}) as bundles:
        left_out = LeftOut()
        for staged_tables in package.row_groups():
            tables = left_out.of(staged_tables)
            mapped = map_tables(tables, terms, model)
            rows = as_bundles(mapped.tables, projection)
            rows = marked(rows, mapped.refused)
            bundles.add({"bundles": rows, "files": file_values(tables, model)})
        left_out.say()
        timings = {**package.notes["timings"], "transform": round(time.monotonic() - began, 3)}
        bundles.notes |= {**package.notes, "timings": timings, "staged": asdict(extracted)}
        bundles.notes["values_left_out"] = left_out.values
    return Transformed(staged(folder), bundles.rows.get("bundles", 0))
