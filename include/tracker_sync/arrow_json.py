"""Pages as Arrow: how the bytes of a page become columns, without an object a value."""

from __future__ import annotations

import json
import re
from typing import Any

import pyarrow as pa
import pyarrow.json as pj

from dhis2_api.errors import UnexpectedAnswer
from dhis2_api.paging import Page


_PAGER = pa.struct([("page", pa.int64()), ("nextPage", pa.string())])

# A geometry has as many shapes as GeoJSON, and a column has one: so it stays the
# text that came. A key cannot be forged by a value, whose quotes are escaped.
_GEOMETRY = re.compile(rb'"geometry"\s*:\s*(\{(?:[^{}]|\{[^{}]*\})*\})')


def parse_page(body: bytes, rows: str, row: pa.StructType, *, what: str) -> Page[pa.StructArray]:
    """Parse one page of a list.

    Args:
        body: The answer, `{"pager": {"page": …, "nextPage": …}, ROWS: [{…}, …]}`.
        rows: The key the rows stand under.
        row: The columns wanted; other keys are left out, a `geometry` column is text.
        what: The request, for messages.

    Raises:
        UnexpectedAnswer: The answer is cut, has another shape, or lacks its rows.
    """
    schema = pa.schema([("pager", _PAGER), (rows, pa.list_(row))])
    table = _read(body, schema, what)
    if table.num_rows != 1 or table[rows].null_count or table["pager"].null_count:
        raise UnexpectedAnswer(f"{what}: the answer has no `{rows}` with a `pager`")
    pager: dict[str, Any] = table["pager"][0].as_py()
    if pager["page"] is None:
        raise UnexpectedAnswer(f"{what}: the answer's `pager` has no page number")
    return Page(pager["page"], table[rows].combine_chunks().flatten(), bool(pager["nextPage"]))


def _read(body: bytes, schema: pa.Schema, what: str) -> pa.Table:
    try:
        body.decode()  # Arrow takes any bytes for text; a value must not be broken in silence
        text = _GEOMETRY.sub(_as_text, body)
        return pj.read_json(
            pa.BufferReader(text),
            read_options=pj.ReadOptions(use_threads=False, block_size=len(text) + 1),
            parse_options=pj.ParseOptions(
                explicit_schema=schema,
                newlines_in_values=True,
                unexpected_field_behavior="ignore",
            ),
        )
    except (pa.ArrowInvalid, UnicodeDecodeError):
        # Arrow quotes the text it stumbled over, and that may be a patient's.
        raise UnexpectedAnswer(f"{what}: the answer is cut or not of the shape asked for") from None


def _as_text(found: re.Match[bytes]) -> bytes:
    return b'"geometry":' + json.dumps(found.group(1).decode(), ensure_ascii=False).encode()
