"""Which listings have no order, and how are their pages compared?"""

from typing import Any

from sandbox.exchanges import Exchange


#: Members that some rows of a listing have and others not.
_NOT_IN_EVERY_ROW = frozenset(
    {"completedAt", "completedBy", "completedDate", "geometry", "scheduledAt", "dueDate"}
)


def is_unordered(exchange: Exchange) -> bool:
    """Tell whether the server leaves the order of the rows open (tracker-api 2.4)."""
    path, params = exchange.request["path"], exchange.request.get("params") or {}
    loose = path.endswith(("/enrollments", "/events")) and "order" not in params
    return loose and (exchange.version.startswith("2.40.") or "/tracker/" not in path)


def without_order(rows: list[dict[str, Any]], exchange: Exchange) -> Any:
    """Return all of the rows, or, of one page among several, how many and with which members."""
    if len(rows) < int(exchange.request["params"].get("pageSize", 50)):
        return sorted(rows, key=str)
    usual = {name for row in rows for name in row} - _NOT_IN_EVERY_ROW
    return len(rows), sorted(usual)
