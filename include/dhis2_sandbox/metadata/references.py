"""Which objects does an object name at a path of members?"""

from collections.abc import Iterator, Sequence
from typing import Any


def uids_at(value: Any, path: Sequence[str]) -> Iterator[str]:
    """Yield the UIDs that an object names at a path of members."""
    if isinstance(value, list):
        for item in value:
            yield from uids_at(item, path)
    elif isinstance(value, dict):
        if path:
            yield from uids_at(value.get(path[0]), path[1:])
        elif value.get("id"):
            yield value["id"]


def without_reference(value: Any, path: Sequence[str], uid: str) -> Any:
    """Return an object without the references to another one at a path of members.

    A row of a list goes as a whole, a single reference leaves its member empty.
    """
    if not path or not isinstance(value, dict) or path[0] not in value:
        return value
    name, rest = path[0], path[1:]
    inner = value[name]
    if isinstance(inner, list):
        return value | {name: [row for row in inner if not _refers(row, rest, uid)]}
    if rest:
        return value | {name: without_reference(inner, rest, uid)}
    if _refers(inner, (), uid):
        return {member: other for member, other in value.items() if member != name}
    return value


def _refers(value: Any, path: Sequence[str], uid: str) -> bool:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return isinstance(value, dict) and value.get("id") == uid
