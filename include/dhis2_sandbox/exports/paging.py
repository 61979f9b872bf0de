"""Which page of a listing is asked for, and what is said of it?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from dhis2_sandbox.exports.parameters import Parameters
from dhis2_sandbox.http.answers import Refused


_DEFAULT_SIZE = 50
_OF_PAGES = ("page", "pageSize", "totalPages")


@dataclass(frozen=True, slots=True)
class Paging:
    """Which page is asked for. Pages are cut by offset: writes between them shift them."""

    number: int
    size: int | None
    with_total: bool
    limit: int | None = None

    @property
    def limits(self) -> tuple[int, int]:
        """LIMIT and OFFSET in rows: one row more than the page, to know whether another follows."""
        if self.size is None:
            return -1 if self.limit is None else self.limit, 0
        return self.size + 1, (self.number - 1) * self.size


def paging_from(parameters: Parameters, *, limited: bool) -> Paging:
    """Return the page. Without pages, rows above the limit are cut off in silence.

    Raises:
        Refused: 400 for a page or size that DHIS2 refuses (recordings: 123, 124).
    """
    dialect = parameters.dialect
    limit = dialect.page_size_limit if limited else None
    switches = dialect.paging_switches.items()
    if any((parameters.text(name) or "").lower() == off for name, off in switches):
        if dialect.page_checked and any(parameters.text(name) for name in _OF_PAGES):
            raise Refused(400, "Paging cannot be off for a request that asks for a page", "E1003")
        return Paging(1, None, with_total=False, limit=limit)
    number = positive(parameters, "page", 1)
    size = positive(parameters, "pageSize", _DEFAULT_SIZE)
    if dialect.page_checked and limit is not None and size > limit:
        message = (
            f"Invalid page size: {size}. It must not exceed the system limit of "
            f"KeyTrackedEntityMaxLimit {limit}."
        )
        raise Refused(400, message, "E1003")
    return Paging(number, size, with_total=parameters.flag("totalPages"))


def positive(parameters: Parameters, name: str, default: int) -> int:
    """Return a parameter that counts from 1.

    Raises:
        Refused: 400 for anything else; until 2.40 it is mended to the default (recordings: 123).
    """
    text = parameters.text(name) or str(default)
    if not text.lstrip("-").isdigit():
        raise Refused(
            400, f"Value '{text}' is not valid for parameter {name}. It must be an integer"
        )
    if int(text) < 1 and not parameters.dialect.page_checked:
        return default
    if int(text) < 1:
        raise Refused(400, f"{name} must be greater than or equal to 1 if specified", "E1003")
    return int(text)


def pager(
    address: str, pairs: Sequence[tuple[str, str]], paging: Paging, *, more: bool, total: int | None
) -> Mapping[str, object]:
    """Return the pager of a page, with links to its neighbours."""
    found = page_members(paging, total)
    if paging.number > 1:
        found["prevPage"] = _link(address, pairs, paging.number - 1)
    if more:
        found["nextPage"] = _link(address, pairs, paging.number + 1)
    return found


def page_members(paging: Paging, total: int | None) -> dict[str, object]:
    """Return what every version says of a page."""
    found: dict[str, object] = {"page": paging.number, "pageSize": paging.size}
    if total is not None and paging.size:
        found |= {"total": total, "pageCount": -(-total // paging.size)}
    return found


def _link(address: str, pairs: Sequence[tuple[str, str]], page: int) -> str:
    others = [(name, value) for name, value in pairs if name != "page"]
    return f"{address}?{urlencode([*others, ('page', str(page))], quote_via=quote, safe='')}"
