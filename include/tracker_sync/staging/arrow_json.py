"""Pages as Arrow: how the bytes of a page become columns, without an object a value."""

from __future__ import annotations

import json
import re
from typing import Any

import pyarrow as pa
import pyarrow.json as pj

from dhis2_api.errors import UnexpectedAnswer
from dhis2_api.paging import Envelope, Page


_PAGER = [("page", pa.int64()), ("pageCount", pa.int64()), ("nextPage", pa.string())]

_NAMES = [name for name, _ in _PAGER]

_SHORT = 1_000  # bytes; so few hold hardly a row

# A geometry has as many shapes as GeoJSON, and a column has one: so it stays the
# text that came. A key cannot be forged by a value, whose quotes are escaped. The quote
# before it is looked for afterwards: a page is full of quotes, and `re` stops at each.
_GEOMETRY = re.compile(rb'geometry"\s*:\s*(\{(?:[^{}]|\{[^{}]*\})*\})')


def parse_page(
    body: bytes, envelope: Envelope, row: pa.StructType, *, what: str
) -> Page[pa.StructArray]:
    """Parse one page of a list.

    Args:
        body: The answer, e.g. `{"pager": {"page": …, "nextPage": …}, ROWS: [{…}, …]}`.
        envelope: What stands around the rows.
        row: The columns wanted; other keys are left out, a `geometry` column is text.
        what: The request, for messages.

    Raises:
        UnexpectedAnswer: The answer is cut, has another shape, or lacks its rows.
    """
    if len(body) < _SHORT:
        nobody = _page_of_nobody(body, envelope, row)
        if nobody:
            return nobody
    rows = (envelope.rows, pa.list_(row))
    flat = not envelope.pager
    fields = [*_PAGER, rows] if flat else [(envelope.pager, pa.struct(_PAGER)), rows]
    table = _read(body, pa.schema(fields), what)
    if table.num_rows != 1 or table[envelope.rows].null_count:
        raise UnexpectedAnswer(f"{what}: the answer has no `{envelope.rows}`")
    pager = _pager(table, envelope.pager)
    if pager["page"] is None:
        raise UnexpectedAnswer(f"{what}: the answer has no page number")
    parsed = table[envelope.rows].combine_chunks().flatten()
    _refuse_gaps(parsed, what)
    return Page(pager["page"], parsed, bool(pager["nextPage"]), pager["pageCount"])


def _page_of_nobody(
    body: bytes, envelope: Envelope, row: pa.StructType
) -> Page[pa.StructArray] | None:
    """Return a page without rows, if it is one and nothing is to be said against it.

    What an empty destination answers each time: so deep a schema takes Arrow a millisecond.
    """
    try:
        answer = json.loads(body)
        pager = answer[envelope.pager] if envelope.pager else answer
        number, pages, following = (pager.get(name) for name in _NAMES)
        empty = answer[envelope.rows] == []
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None  # what is wrong is said where all pages are read
    told = type(number) is int and (pages is None or type(pages) is int)
    if not empty or not told or not isinstance(following, str | None):
        return None
    return Page(number, pa.nulls(0, row), bool(following), pages)


def _refuse_gaps(rows: pa.StructArray, what: str) -> None:
    """Refuse rows that lack a list that was asked for, or the UID that stands first.

    Every version gives a list even where it is empty (recordings: export-te-…), so one
    that is not there is damage, and would pass for an empty one.
    """
    for index, (column, values) in enumerate(zip(rows.type, rows.flatten(), strict=True)):
        listed = pa.types.is_list(column.type)
        if (listed or not index) and values.null_count:
            raise UnexpectedAnswer(f"{what}: rows without `{column.name}`")
        if listed:
            _refuse_gaps(values.flatten(), what)


def _pager(table: pa.Table, key: str) -> dict[str, Any]:
    if key:
        return table[key][0].as_py() or dict.fromkeys(_NAMES)
    return {name: table[name][0].as_py() for name in _NAMES}


def _read(body: bytes, schema: pa.Schema, what: str) -> pa.Table:
    try:
        _require_text(body)
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
    except pa.ArrowInvalid:
        # Arrow quotes the text it stumbled over, and that may be a patient's.
        raise UnexpectedAnswer(f"{what}: the answer is cut or not of the shape asked for") from None


def _require_text(body: bytes) -> None:
    """Refuse what is not UTF-8: Arrow takes any bytes, and would break a value in silence."""
    ends = pa.array([0, len(body)], pa.int64()).buffers()[1]
    pa.LargeStringArray.from_buffers(1, ends, pa.py_buffer(body)).validate(full=True)


def _as_text(found: re.Match[bytes]) -> bytes:
    if found.string[found.start() - 1 : found.start()] != b'"':
        return found.group()  # another key, which only ends so
    return b'geometry":' + json.dumps(found.group(1).decode(), ensure_ascii=False).encode()
