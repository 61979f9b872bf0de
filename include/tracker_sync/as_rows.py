"""Bundles row by row: staged tables as rows of `bundles.BUNDLES`, one Python object a value."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping
from itertools import chain
from typing import Any

import pyarrow as pa

from tracker_sync.bundles import BUNDLES
from tracker_sync.projection import COMPLETED, Projection
from tracker_sync.tables import Tables


Row = dict[str, Any]

NUL = "SYNC_NUL_CHARACTER"
_KEYS = {"TRACKED_ENTITY": "trackedEntity", "ENROLLMENT": "enrollment", "EVENT": "event"}
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


def as_bundles(tables: Tables, projection: Projection) -> pa.Table:
    """Return the people, then the lone events, of a closed set of tables."""
    living = _Living(tables, projection)
    objects: defaultdict[tuple[str, str], dict[str, Row]] = defaultdict(dict)
    for kind in _KEYS:
        for row in tables[_TABLES[kind]].to_pylist():
            item = living.item(kind, row)
            below = objects[_root(row)]
            older = below.get(kind + item["uid"])
            if older is None or _age(older) < _age(item):
                below[kind + item["uid"]] = item
    roots = [_bundle(root, [*items.values()], living.program) for root, items in objects.items()]
    roots.sort(key=lambda row: row["kind"] == "EVENT")
    return pa.Table.from_pylist(roots, schema=BUNDLES)


def _root(row: Row) -> tuple[str, str]:
    return (
        ("TRACKED_ENTITY", row["trackedEntity"])
        if row["trackedEntity"]
        else ("EVENT", row["event"])
    )


def _age(item: Row) -> tuple[Any, str]:
    return item["updated_at"], item["content"] or ""


def _bundle(root: tuple[str, str], items: list[Row], programs: Mapping[str, str]) -> Row:
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


class _Living:
    def __init__(self, tables: Tables, projection: Projection) -> None:
        self._projection = projection
        rows = {name: table.to_pylist() for name, table in tables.items()}
        self.program = {row["event"]: row["program"] for row in rows["events"]}
        self._values: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
        for row in chain(rows["attributes"], rows["data_values"]):
            kind = (
                "EVENT"
                if "event" in row
                else "ENROLLMENT"
                if row["enrollment"]
                else "TRACKED_ENTITY"
            )
            self._values[kind, row[_KEYS[kind]]].append(row)
        self._types = {
            row["trackedEntity"]: row["trackedEntityType"] for row in rows["tracked_entities"]
        }
        self._gone = {row["trackedEntity"] for row in rows["tracked_entities"] if row["deleted"]}
        self._ended = {
            row["enrollment"]
            for row in rows["enrollments"]
            if row["deleted"] or row["trackedEntity"] in self._gone
        }

    def item(self, kind: str, row: Row) -> Row:
        uid = row[_KEYS[kind]]
        deleted = bool(row["deleted"] or self._below_the_deleted(row))
        content = None if deleted else self._content(kind, uid, row)
        code = NUL if content and "\0" in _texts(json.loads(content)) else None
        content = None if code else content
        finished = kind in COMPLETED and row["status"] in COMPLETED[kind]
        done = row["completedAt"] if content and finished else None
        return {
            "kind": kind,
            "uid": uid,
            "parent": row[_PARENT[kind]] if _PARENT[kind] else None,
            "updated_at": row["updatedAt"],
            "deleted": deleted,
            "content": content,
            "completed_at": done,
            "content_hash": hashlib.sha256(content.encode()).hexdigest()[:32] if content else None,
            "code": code,
        }

    def _below_the_deleted(self, row: Row) -> bool:
        return row["trackedEntity"] in self._gone or row.get("enrollment") in self._ended

    def _content(self, kind: str, uid: str, row: Row) -> str:
        content = {name: row[name] for name in _TEXTS[kind] if row[name] is not None}
        content |= {name: bool(row[name]) for name in _FLAGS[kind]}
        if row["geometry"] is not None:
            content["geometry"] = json.loads(row["geometry"], parse_int=float)
        if row.get("assignedUser"):
            content["assignedUser"] = {"username": row["assignedUser"]}
        if kind == "EVENT" and not row["enrollment"]:
            content.pop("scheduledAt", None)
        values = [value for value in self._values[kind, uid] if value["value"]]
        if kind == "EVENT":
            content["dataValues"] = sorted(
                (
                    {
                        "dataElement": value["dataElement"],
                        "value": value["value"],
                        "providedElsewhere": bool(value["providedElsewhere"]),
                    }
                    for value in values
                ),
                key=lambda value: value["dataElement"],
            )
        else:
            own = self._projection.own_attributes.get(row.get("trackedEntityType", ""))
            content["attributes"] = sorted(
                (
                    {"attribute": value["attribute"], "value": value["value"]}
                    for value in values
                    if own is None or value["attribute"] in own
                ),
                key=lambda value: value["attribute"],
            )
        return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _texts(value: Any) -> str:
    if isinstance(value, dict):
        return "".join(map(_texts, value.values()))
    if isinstance(value, list):
        return "".join(map(_texts, value))
    return value if isinstance(value, str) else ""
