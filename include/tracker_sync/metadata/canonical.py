"""The canonical form: when do two objects of two servers say the same?"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from hashlib import sha256

from dhis2_api.client import Json
from dhis2_api.metadata import Fields
from tracker_sync.metadata.classes import (
    DERIVED_IN_ROWS,
    JOINED_BY,
    NUMBERED,
    OPAQUE,
    ORDERED,
    OWN_ROWS,
    RANKED,
    SERVER_OWNED,
)
from tracker_sync.metadata.defaults import USUAL, is_default


#: A date that a server writes as its midnight.
_MIDNIGHT = re.compile(r"(\d{4}-\d\d-\d\d)T00:00:00\.000")


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


def canonical(plural: str, fields: Fields, defaults: Collection[str] = USUAL) -> Fields:
    """Return an object as what it says, so that equal content is equal JSON.

    A field that holds its default equals one that is missing, and so does a reference
    to a default category object. Lists that are sets are sorted, ranked rows stand in
    their order and are numbered anew, and what a server counts by itself is gone.

    Args:
        plural: The object's class.
        fields: The object.
        defaults: The UIDs of the server's default category objects, found by their name.
    """
    numbered = NUMBERED.get(plural, frozenset())
    ordered = ORDERED.get(plural, frozenset()) | RANKED
    content = {
        name: _without_ids(value) if name in OWN_ROWS else value
        for name, value in sendable(fields).items()
        if name not in numbered
    }
    compared = {
        name: value if name in OPAQUE else _compared(value, defaults, in_order=name in ordered)
        for name, value in content.items()
    }
    return {name: value for name, value in compared.items() if not is_default(plural, name, value)}


def content_hash(value: Json) -> str:
    """Return the SHA-256 of canonical content, as hexadecimal digits."""
    return sha256(_text(value).encode()).hexdigest()


def identity(name: str, item: Json) -> str | None:
    """Return what names one item of the list *name*, or nothing if it has no name."""
    if not isinstance(item, dict):
        return None
    if name == "translations":
        return f"{item.get('locale')} {item.get('property')}"
    if name in OWN_ROWS:
        key = OWN_ROWS[name]
        return str(item.get(key)) if key else None
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


def _without_ids(rows: list[Json]) -> list[Json]:
    return [{name: value for name, value in row.items() if name != "id"} for row in rows]


def _compared(value: Json, defaults: Collection[str], *, in_order: bool = False) -> Json:
    if isinstance(value, list):
        items = [_compared(item, defaults) for item in value]
        return items if in_order else sorted(items, key=_text)
    if isinstance(value, dict):
        return _mapping(value, defaults)
    return _scalar(value)


def _mapping(fields: Fields, defaults: Collection[str]) -> Fields:
    if len(fields) == 1 and fields.get("id") in defaults:
        return {}
    compared = {name: _compared(value, defaults) for name, value in fields.items()}
    return {name: value for name, value in compared.items() if not is_default("", name, value)}


def _scalar(value: Json) -> Json:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    found = _MIDNIGHT.fullmatch(value) if isinstance(value, str) else None
    return found.group(1) if found else value


def _text(value: Json) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
