"""The canonical form: when do two objects of two servers say the same?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256

from dhis2_api.client import Json
from dhis2_api.metadata import Fields
from tracker_sync.metadata.classes import (
    DERIVED_IN_ROWS,
    JOINED_BY,
    NUMBERED,
    ORDERED,
    RANKED,
    SERVER_OWNED,
)


def sendable(fields: Fields) -> Fields:
    """Return an object without what a server owns in it and without who may see it.

    Of its sharing only the public string stays: users and groups of one server
    are strangers on the other. Empty and false values stay, because a server
    gives a field that is missing its own default, which may be true.
    """
    kept = {name: _sent(name, value) for name, value in fields.items() if _is_content(name)}
    public = (fields.get("sharing") or {}).get("public")
    if public:
        kept["sharing"] = {"public": public, "users": {}, "userGroups": {}}
    return kept


def canonical(plural: str, fields: Fields) -> Fields:
    """Return an object as what it says, so that equal content is equal JSON.

    What is empty, false or zero equals what is missing. Lists that are sets are
    sorted, ranked rows stand in their order and are numbered anew, and what a
    server counts by itself is gone.
    """
    numbered = NUMBERED.get(plural, frozenset())
    content = {name: value for name, value in sendable(fields).items() if name not in numbered}
    return _mapping(content, ORDERED.get(plural, frozenset()) | RANKED)


def content_hash(value: Json) -> str:
    """Return the SHA-256 of canonical content, as hexadecimal digits."""
    return sha256(_text(value).encode()).hexdigest()


def identity(name: str, item: Json) -> str | None:
    """Return what names one item of the list *name*, or nothing if it has no name."""
    if not isinstance(item, dict):
        return None
    if name == "translations":
        return f"{item.get('locale')} {item.get('property')}"
    joined = item.get(JOINED_BY[name]) if name in JOINED_BY else item
    uid = joined.get("id") if isinstance(joined, dict) else None
    return uid if isinstance(uid, str) else None


def numbered(name: str, rows: list[Json]) -> list[Json]:
    """Return rows with their ranks counted anew in the order they stand, if *name* has ranks."""
    if name not in RANKED:
        return rows
    return [row | {"sortOrder": rank} for rank, row in enumerate(rows, start=1)]


def _ranked(name: str, rows: list[Json]) -> list[Json]:
    if name not in RANKED:
        return rows
    # By name first: two rows of one rank must not change places between two reads.
    by_name = sorted(rows, key=lambda row: identity(name, row) or "")
    return numbered(name, sorted(by_name, key=lambda row: row.get("sortOrder") or 0))


def _is_content(name: str) -> bool:
    return name not in SERVER_OWNED and name != "sharing"


def _sent(name: str, value: Json) -> Json:
    if isinstance(value, list):
        return _ranked(name, [_row(name, item) for item in value])
    if isinstance(value, dict):
        return {inner: _sent(inner, item) for inner, item in value.items() if _is_content(inner)}
    return value


def _row(name: str, item: Json) -> Json:
    sent = _sent("", item)
    if name in JOINED_BY and isinstance(sent, dict):
        return {inner: value for inner, value in sent.items() if inner not in DERIVED_IN_ROWS}
    return sent


def _mapping(fields: Mapping[str, Json], ordered: frozenset[str]) -> Fields:
    compared = {name: _compared(value, in_order=name in ordered) for name, value in fields.items()}
    return {name: value for name, value in compared.items() if not _is_empty(value)}


def _compared(value: Json, *, in_order: bool = False) -> Json:
    if isinstance(value, list):
        items = [_compared(item) for item in value]
        return items if in_order else sorted(items, key=_text)
    return _mapping(value, frozenset()) if isinstance(value, dict) else value


def _is_empty(value: Json) -> bool:
    return value in (None, False, 0, "", [], {})


def _text(value: Json) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
