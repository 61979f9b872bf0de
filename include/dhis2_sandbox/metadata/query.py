"""Which objects of a class does a request ask for, and which of their members?"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from dhis2_sandbox.exports.paging import positive
from dhis2_sandbox.exports.parameters import Parameters
from dhis2_sandbox.http.answers import Refused
from dhis2_sandbox.metadata.store import Members, Metadata
from dhis2_sandbox.metadata.viewing import LOOKED_INTO


_TESTS: Mapping[str, Callable[[str, str], bool]] = {
    "eq": lambda value, wish: value == wish,
    "ieq": lambda value, wish: value.lower() == wish.lower(),
    "ne": lambda value, wish: value != wish,
    "!eq": lambda value, wish: value != wish,
    "like": lambda value, wish: wish in value,
    "!like": lambda value, wish: wish not in value,
    "ilike": lambda value, wish: wish.lower() in value.lower(),
    "startsWith": lambda value, wish: value.startswith(wish),
    "$like": lambda value, wish: value.startswith(wish),
    "ge": lambda value, wish: value >= wish,
    "gt": lambda value, wish: value > wish,
    "le": lambda value, wish: value <= wish,
    "lt": lambda value, wish: value < wish,
    "in": lambda value, wish: value in wish.strip("[]").split(","),
    "!in": lambda value, wish: value not in wish.strip("[]").split(","),
}


def chosen(
    items: Collection[Members], filters: Sequence[str], metadata: Metadata, order: str | None = None
) -> list[Members]:
    """Return the objects that pass every filter, in the order asked for.

    Raises:
        Refused: 400 for a filter that cannot be read.
    """
    found = [item for item in items if all(_passes(item, text, metadata) for text in filters)]
    for part in reversed([part for part in (order or "").split(",") if part]):
        name, _, direction = part.partition(":")
        found.sort(key=_sort_key(name, direction), reverse=direction.endswith("desc"))
    return found


def _sort_key(name: str, direction: str) -> Callable[[Members], str]:
    """Order by the bytes of a member, or without regard to case for `iasc` and `idesc`."""
    if direction.startswith("i"):
        return lambda item: str(item.get(name, "")).lower()
    return lambda item: str(item.get(name, ""))


def _passes(item: Members, text: str, metadata: Metadata) -> bool:
    path, _, test = text.partition(":")
    operator, _, wish = test.partition(":")
    values = list(_values_at(item, path.split("."), metadata))
    if operator == "null":
        return not values
    if operator == "!null":
        return bool(values)
    if operator not in _TESTS:
        raise Refused(400, f"Invalid filter: {text}")
    return any(_TESTS[operator](value, wish) for value in values)


def _values_at(value: Any, path: Sequence[str], metadata: Metadata) -> list[str]:
    if isinstance(value, list):
        return [text for item in value for text in _values_at(item, path, metadata)]
    if value is None:
        return []
    if not path:
        return [str(value).lower() if isinstance(value, bool) else str(value)]
    if not isinstance(value, dict):
        return []
    name, *rest = path
    inner = value.get(name)
    if rest and isinstance(inner, dict):
        inner = metadata.get(LOOKED_INTO.get(name, ""), inner.get("id")) or inner
    return _values_at(inner, rest, metadata)


def metadata_pager(
    address: str, parameters: Parameters, items: Sequence[Members]
) -> tuple[Members | None, Sequence[Members]]:
    """Return the pager and the objects of the page that is asked for."""
    if (parameters.text("paging") or "true").lower() == "false":
        return None, items
    number = positive(parameters, "page", 1)
    size = positive(parameters, "pageSize", 50)
    count = -(-len(items) // size)
    pager: Members = {"page": number, "total": len(items), "pageSize": size}
    others = [pair for pair in parameters.pairs if pair[0] not in {"page", "pageSize"}]
    for name, page in (("prevPage", number - 1), ("nextPage", number + 1)):
        if 1 <= page <= count and page != number:
            place = [("page", str(page)), ("pageSize", str(size))]
            pager[name] = f"{address}?{urlencode([*place, *others])}"
    return pager | {"pageCount": count}, items[(number - 1) * size : number * size]
