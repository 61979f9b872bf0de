"""Paging: how a long list is read to its very end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sized
from dataclasses import dataclass, field
from itertools import count
from typing import Generic, TypeVar

from dhis2_api.client import Dhis2Client
from dhis2_api.dialects import Dialect, LastPage
from dhis2_api.errors import UnexpectedAnswer
from dhis2_api.exchange import Params


Rows = TypeVar("Rows", bound=Sized)


@dataclass(frozen=True, slots=True)
class Envelope:
    """What stands around the rows of a list.

    Attributes:
        rows: The key of the rows.
        pager: The key of the pager; empty where it lies flat beside the rows.
        last_page: How the end of the list is known.
    """

    rows: str
    pager: str
    last_page: LastPage


@dataclass(frozen=True, slots=True)
class Asked:
    """One list, as it is asked for.

    Attributes:
        path: The path.
        params: The query but for the page; its `pageSize` is there.
        envelope: What the answer looks like.
    """

    path: str
    params: Params = field(repr=False)  # a filter's value may be a patient's
    envelope: Envelope


@dataclass(frozen=True, slots=True)
class Page(Generic[Rows]):
    """One page of a list.

    Attributes:
        number: The page's number as the server gives it, from 1.
        rows: The rows.
        goes_on: Whether the server names a next page.
        pages: How many pages the server counts, where it was asked to.
    """

    number: int
    rows: Rows = field(repr=False)
    goes_on: bool = False
    pages: int | None = None


def envelope_of(dialect: Dialect, kind: str) -> Envelope:
    """Return what stands around the rows of a list of *kind*, e.g. `events`."""
    return Envelope(dialect.rows or kind, dialect.pager, dialect.last_page)


def each_page(
    client: Dhis2Client, asked: Asked, parse: Callable[[bytes], Page[Rows]]
) -> Iterator[Rows]:
    """Yield the rows of every page of a list.

    A short page is not the end, nor is an empty one: rows are taken away after the
    page was cut (tracker-api 2.4). The end is a page that is not full and behind which
    the server names none; or, where it names none ever, a page without rows that lies
    beyond the last one of a count made at that very moment.

    What is in the list from the first request to the last comes at least once, as long
    as nothing leaves the list meanwhile. A row that leaves it moves all behind it one
    place forward, over the edge of a page that was read already: then one of them is
    missed, and reading again brings it.

    Raises:
        UnexpectedAnswer: The server answered another page than the one asked for, a
            longer one, or did not count.
    """
    what = f"{client.name}: GET {asked.path}"
    counts = asked.envelope.last_page == "counted"
    pages = 0
    empty = False
    for number in count(1):
        # After an empty page anew, lest a wrong count is followed for ever.
        ask_total = counts and (empty or number > pages)
        total: Params = {"totalPages": "true"} if ask_total else {}
        page = parse(client.get_bytes(asked.path, {**asked.params, "page": number, **total}))
        _check(page, number, asked, what)
        if ask_total:
            pages = _counted(page, what)
        yield page.rows
        empty = not len(page.rows)
        if (number > pages and empty) if counts else _ends(page, asked):
            return


def _ends(page: Page[Rows], asked: Asked) -> bool:
    # A full page may only have lost the name of the next one.
    return not page.goes_on and len(page.rows) < _page_size(asked)


def _check(page: Page[Rows], number: int, asked: Asked, what: str) -> None:
    if page.number != number:
        raise UnexpectedAnswer(f"{what} answered page {page.number} when asked for {number}")
    if len(page.rows) > _page_size(asked):
        raise UnexpectedAnswer(f"{what}: the server ignored `pageSize`; more rows came")


def _page_size(asked: Asked) -> int:
    return int(str(asked.params["pageSize"]))


def _counted(page: Page[Rows], what: str) -> int:
    if page.pages is None:
        raise UnexpectedAnswer(f"{what}: the server ignored `totalPages`; there is no count")
    return page.pages
