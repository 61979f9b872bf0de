"""The marks: how bundles say of objects that they are not sent, and why."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from dhis2_api.importer import Ref
from tracker_sync.bundling.bundles import OBJECT


_CONTENT = ("content", "beside", "content_hash")


def marked(bundles: pa.Table, refused: Mapping[Ref, str]) -> pa.Table:
    """Return rows of `bundles.BUNDLES` in which the objects *refused* have a code, no content."""
    if not refused:
        return bundles
    bundles = bundles.combine_chunks()
    nested = bundles["objects"].combine_chunks()
    objects = pa.Table.from_struct_array(nested.flatten())
    names = pa.array([f"{ref.kind} {ref.uid}" for ref in refused], pa.string())
    index = pc.index_in(
        pc.binary_join_element_wise(objects["kind"], objects["uid"], " "), value_set=names
    )
    codes = pa.array(refused.values(), pa.string()).take(index)
    columns = {name: objects[name] for name in objects.column_names}
    nothing = pa.scalar(None, pa.string())
    for name in _CONTENT:
        columns[name] = pc.if_else(pc.is_valid(index), nothing, objects[name])
    columns["code"] = pc.coalesce(codes, objects["code"])
    arrays = [columns[field.name].combine_chunks() for field in OBJECT]
    rows = pa.StructArray.from_arrays(arrays, fields=[*OBJECT])
    lists = pa.ListArray.from_arrays(_offsets(nested), rows)
    at = bundles.column_names.index("objects")
    return bundles.set_column(at, bundles.schema.field("objects"), lists)


def _offsets(nested: pa.ListArray) -> pa.Array:
    lengths = pa.concat_arrays([pa.array([0], pa.int32()), nested.value_lengths()])
    return pc.cumulative_sum(lengths)
