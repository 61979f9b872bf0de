"""Bundles by hand: what the kernels of Arrow must make, one Python object a value."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from typing import Any

import pyarrow as pa

from tracker_sync.bundling.bundles import BUNDLES
from tracker_sync.bundling.projection import COMPLETED, Projection
from tracker_sync.staging.tables import Tables


Row = dict[str, Any]

KEYS = {"TRACKED_ENTITY": "trackedEntity", "ENROLLMENT": "enrollment", "EVENT": "event"}
_TABLES = {"TRACKED_ENTITY": "tracked_entities", "ENROLLMENT": "enrollments", "EVENT": "events"}
_PARENT = {"TRACKED_ENTITY": "", "ENROLLMENT": "trackedEntity", "EVENT": "enrollment"}
_STAMPS = ("createdAtClient", "updatedAtClient")
_TEXTS = {
    "TRACKED_ENTITY": ("trackedEntity", "trackedEntityType", "orgUnit", *_STAMPS),
    "ENROLLMENT": (
        *("enrollment", "trackedEntity", "program", "orgUnit", "status"),
        *("enrolledAt", "occurredAt", *_STAMPS),
    ),
    "EVENT": (
        *("event", "enrollment", "program", "programStage", "orgUnit", "status"),
        *("occurredAt", "scheduledAt", "attributeOptionCombo", *_STAMPS),
    ),
}
_FLAGS = {
    "TRACKED_ENTITY": ("inactive", "potentialDuplicate"),
    "ENROLLMENT": ("followUp",),
    "EVENT": (),
}


def by_hand(tables: Tables, projection: Projection) -> pa.Table:
    """Return rows of `bundles.BUNDLES`, as `objects.as_bundles` does."""
    maker = _Maker({name: table.to_pylist() for name, table in tables.items()}, projection)
    below: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
    for kind, rows in maker.rows.items():
        for row in rows:
            root = ("TRACKED_ENTITY", row["trackedEntity"])
            below[root if root[1] else ("EVENT", row["event"])].append(maker.item(kind, row))
    programs = {row["event"]: row["program"] for row in maker.rows["EVENT"]}
    roots = [_bundle(root, items, programs) for root, items in below.items()]
    return pa.Table.from_pylist(roots, schema=BUNDLES)


def _bundle(root: tuple[str, str], items: list[Row], programs: dict[str, str]) -> Row:
    kind, uid = root
    person = kind == "TRACKED_ENTITY"
    return {
        "kind": kind,
        "uid": uid,
        "tracked_entity": uid if person else None,
        "program": "" if person else programs[uid],
        "bytes": sum(len((item["content"] or "").encode()) for item in items),
        "objects": items,
    }


def _newest(rows: list[Row], key: str) -> list[Row]:
    best: dict[str, int] = {}
    for place, row in enumerate(rows):
        if row[key] not in best or row["updatedAt"] >= rows[best[row[key]]]["updatedAt"]:
            best[row[key]] = place
    return [rows[place] for place in sorted(best.values())]


class _Maker:
    def __init__(self, tables: dict[str, list[Row]], projection: Projection) -> None:
        self._projection = projection
        self.rows = {kind: _newest(tables[_TABLES[kind]], KEYS[kind]) for kind in KEYS}
        self._values: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
        for row in tables["attributes"]:
            kind = "ENROLLMENT" if row["enrollment"] else "TRACKED_ENTITY"
            self._values[kind, row[KEYS[kind]]].append(row)
        for row in tables["data_values"]:
            self._values["EVENT", row["event"]].append(row)
        self._gone = {row["trackedEntity"] for row in self.rows["TRACKED_ENTITY"] if row["deleted"]}
        self._ended = {
            row["enrollment"]
            for row in self.rows["ENROLLMENT"]
            if row["deleted"] or row["trackedEntity"] in self._gone
        }

    def item(self, kind: str, row: Row) -> Row:
        above = row["trackedEntity"] in self._gone or row.get("enrollment") in self._ended
        deleted = bool(row["deleted"] or above)
        content = None if deleted else self._content(kind, row)
        code = "SYNC_NUL_CHARACTER" if "\0" in _texts(content) else None
        text = None if deleted or code else _json(content)
        finished = bool(text) and kind in COMPLETED and row["status"] in COMPLETED[kind]
        return {
            "kind": kind,
            "uid": row[KEYS[kind]],
            "parent": row[_PARENT[kind]] if _PARENT[kind] else None,
            "updated_at": row["updatedAt"],
            "deleted": deleted,
            "content": text,
            "beside": _beside(row, finished=finished) if text else None,
            "content_hash": hashlib.sha256(text.encode()).hexdigest()[:32] if text else None,
            "code": code,
        }

    def _content(self, kind: str, row: Row) -> Row:
        content = {name: row[name] for name in _TEXTS[kind] if row[name] is not None}
        content |= {name: bool(row[name]) for name in _FLAGS[kind]}
        if row["geometry"] is not None:
            content["geometry"] = json.loads(row["geometry"], parse_int=float)
        nobody = row.get("programStage") in self._projection.no_assignee
        if row.get("assignedUser") is not None and not nobody:
            content["assignedUser"] = {"username": row["assignedUser"]}
        if kind == "ENROLLMENT" and row["occurredAt"] is None and row["enrolledAt"] is not None:
            content["occurredAt"] = row["enrolledAt"]
        if kind == "ENROLLMENT" and self._projection.enrolled_options:
            options = row["attributeOptionCombo"]
            default = options is None or options in self._projection.default_options
            content |= {} if default else {"attributeOptionCombo": options}
        if content.get("status") == "VISITED":
            content["status"] = "ACTIVE"
        if kind == "EVENT" and row["enrollment"] is None:
            content.pop("scheduledAt", None)
        values = [value for value in self._values[kind, row[KEYS[kind]]] if value["value"]]
        if content.get("status") in {"SCHEDULE", "OVERDUE", "SKIPPED"}:
            values = []
        if kind == "EVENT":
            return content | {"dataValues": _data_values(values)}
        return content | {"attributes": self._attributes(values, row.get("trackedEntityType"))}

    def _attributes(self, rows: list[Row], type_: str | None) -> list[Row]:
        own = self._projection.own_attributes.get(type_ or "")
        last = {row["attribute"]: row["value"] for row in rows}
        kept = sorted(uid for uid in last if own is None or uid in own)
        return [{"attribute": uid, "value": last[uid]} for uid in kept]


def _beside(row: Row, *, finished: bool) -> str | None:
    """Return what is sent of a row and never compared, as JSON members."""
    held = {"completedAt": row.get("completedAt") if finished else None}
    held["storedBy"] = row["storedBy"]
    return _json({name: text for name, text in held.items() if text is not None})[1:-1] or None


def _data_values(rows: list[Row]) -> list[Row]:
    last = {row["dataElement"]: row for row in rows}
    return [
        {
            "dataElement": uid,
            "value": last[uid]["value"],
            "providedElsewhere": bool(last[uid]["providedElsewhere"]),
        }
        for uid in sorted(last)
    ]


def _json(content: Any) -> str:
    return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _texts(value: Any) -> str:
    if isinstance(value, dict):
        return "".join(map(_texts, value.values()))
    if isinstance(value, list):
        return "".join(map(_texts, value))
    return value if isinstance(value, str) else ""
