"""The difference: what is sent of an object so that the destination becomes equal.

DHIS2 merges values, and replaces all else (tracker-api 4): an object is sent whole, with an
explicit null for each value that is to go.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from tracker_sync.metadata.model import Model
from tracker_sync.planning.objects import Object


# Where an object keeps its values: the list, and the key that names each.
VALUES_KEY = {
    "TRACKED_ENTITY": ("attributes", "attribute"),
    "ENROLLMENT": ("attributes", "attribute"),
    "EVENT": ("dataValues", "dataElement"),
}

#: What is sent of an object and never compared, as `objects.Object.beside` has it.
BESIDE = frozenset({"completedAt", "storedBy"})

_Payload = dict[str, Any]


def import_text(
    ours: Object, theirs: Object | None, model: Model, enrolled: Collection[str] = ()
) -> str | None:
    """Return the import JSON that makes the destination equal, or nothing if it is.

    Args:
        ours: What the source has, with content.
        theirs: What the destination holds, if anything.
        model: Says which values may be cleared: the source has them, and the account reads
            them there. What only the destination's programs have stays as it is.
        enrolled: The programs in which a person is enrolled at the source, whose files are the
            person's own (`file_attributes`).
    """
    if theirs is None or theirs.content is None:
        return new_text(ours)
    content = ours.content or ""
    mine, held = json.loads(content), json.loads(theirs.content)
    name, key = VALUES_KEY[ours.ref.kind]
    my_values, their_values = values(ours.ref.kind, mine), values(ours.ref.kind, held)
    cleared = sorted(
        (their_values.keys() - my_values.keys()) & _clearable(model, ours, mine, enrolled)
    )
    kept = {uid: item for uid, item in their_values.items() if uid in my_values}
    if not cleared and kept == my_values and _scalars(mine, name) == _scalars(held, name):
        return None
    if cleared:
        mine[name] = [*mine.get(name, []), *({key: uid, "value": None} for uid in cleared)]
        content = as_text(mine)
    return _with_beside(content, ours.beside)


def new_text(ours: Object) -> str:
    """Return the import JSON of an object that the destination lacks."""
    return _with_beside(ours.content or "", ours.beside)


def values(kind: str, payload: _Payload) -> dict[str, _Payload]:
    """Return the values of an object, by attribute or data element."""
    name, key = VALUES_KEY[kind]
    return {item[key]: item for item in payload.get(name, [])}


def as_text(payload: _Payload) -> str:
    """Return a payload as import JSON."""
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":"))


def _scalars(payload: _Payload, name: str) -> _Payload:
    return {key: value for key, value in payload.items() if key != name}


def _with_beside(content: str, beside: str | None) -> str:
    return content if beside is None else f"{content[:-1]},{beside}}}"


def _clearable(
    model: Model, ours: Object, payload: _Payload, enrolled: Collection[str]
) -> frozenset[str]:
    """Return the values whose absence at the source means *empty*: its model has them.

    A confidential attribute is in none of these sets: its absence says nothing.
    """
    if ours.ref.kind == "TRACKED_ENTITY":
        shown = (model.program_attributes.get(program, frozenset()) for program in enrolled)
        files = frozenset(model.files).intersection(frozenset().union(*shown))
        return model.type_attributes.get(payload["trackedEntityType"], frozenset()) | files
    if ours.ref.kind == "ENROLLMENT":
        return model.program_attributes.get(payload["program"], frozenset())
    return model.stage_elements.get(payload["programStage"], frozenset())
