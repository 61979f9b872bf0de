"""How are pages compared whose order rests on equal stamps?

Rows created in the same millisecond follow each other by chance: which of them fall on which page
differs from one import to the next. So the pages of one listing are compared together.
"""

from collections.abc import Iterable
from typing import Any

from sandbox.essence import KINDS_OF_ROWS, ROWS_BEFORE_41, masked, pager
from sandbox.exchanges import Answer, Exchange


_ORDER = "createdAt:asc"


def is_tied(exchange: Exchange) -> bool:
    """Tell whether the exchange is a page ordered by createdAt."""
    wanted = (exchange.request.get("params") or {}).get("order") == _ORDER
    return wanted and exchange.recorded.status == 200


def listing_of(exchange: Exchange) -> str:
    """Return what the pages of one listing have in common."""
    params = exchange.request["params"]
    others = {name: value for name, value in params.items() if name != "page"}
    return str((exchange.request["path"], exchange.request["user"], sorted(others.items())))


def pages_agree(pages: Iterable[tuple[Exchange, Answer]]) -> bool:
    """Tell whether the pages hold the same rows; of a listing with gaps, the rows both know."""
    ours: dict[str, Any] = {}
    theirs: dict[str, Any] = {}
    numbers, complete = [], False
    for exchange, answer in pages:
        numbers.append(exchange.request["params"].get("page", 1))
        mine, real = _rows(exchange, answer), _rows(exchange, exchange.recorded)
        if answer.status != 200 or len(mine) != len(real):
            return False
        if pager(answer.body) != pager(exchange.recorded.body):
            return False
        ours |= mine
        theirs |= real
        complete = len(real) < int(exchange.request["params"].get("pageSize", 50))
    complete = complete and numbers == list(range(1, len(numbers) + 1))
    if complete and set(ours) != set(theirs):
        return False
    common = set(ours) & set(theirs)
    return all(ours[uid] == theirs[uid] for uid in common) and bool(common or not theirs)


def _rows(exchange: Exchange, answer: Answer) -> dict[str, Any]:
    kind = exchange.request["path"].rsplit("/", 1)[-1]
    member = dict(
        zip(KINDS_OF_ROWS, ("trackedEntity", "enrollment", "event", "relationship"), strict=True)
    )
    return {
        row[member[kind]]: masked(row)
        for row in answer.body.get(kind) or answer.body.get(ROWS_BEFORE_41, [])
    }
