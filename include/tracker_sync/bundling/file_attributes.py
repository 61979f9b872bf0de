"""The file attributes: why a person's files stand at the person and never at an enrollment.

DHIS2 asks of a file whose value it is, and an enrollment is never the person: a file that
an enrollment names is refused as another's when it comes again (E1009, tracker-api 6). A
program's attribute may be sent at the person's level (measured: Flows).
"""

from __future__ import annotations

from collections.abc import Collection

import pyarrow as pa
import pyarrow.compute as pc


def at_persons(attributes: pa.Table, files: Collection[str]) -> pa.Table:
    """Return a table of `attributes` whose files are their persons', each once.

    Args:
        attributes: Of a closed set of people, as staged or as the destination holds them.
        files: The attributes whose values name a file.
    """
    theirs = pc.is_in(attributes["attribute"], value_set=pa.array(sorted(files), pa.string()))
    if not pc.any(theirs).as_py():
        return attributes
    found = attributes.filter(theirs).group_by(["trackedEntity", "attribute"], use_threads=False)
    once = found.aggregate([("value", "first")])
    columns = {
        "trackedEntity": once["trackedEntity"],
        "enrollment": pa.nulls(len(once), pa.string()),
        "attribute": once["attribute"],
        "value": once["value_first"],
    }
    moved = pa.table(columns).select(attributes.column_names).cast(attributes.schema)
    return pa.concat_tables([attributes.filter(pc.invert(theirs)), moved])
