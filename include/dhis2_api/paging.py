"""Paging: how a long list is read to its very end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Generic, TypeVar

from dhis2_api.client import Dhis2Client, Params
from dhis2_api.errors import UnexpectedAnswer


Rows = TypeVar("Rows")


@dataclass(frozen=True, slots=True)
class Page(Generic[Rows]):
    """One page of a list.

    Attributes:
        number: The page's number as the server gives it, from 1.
        rows: The rows.
        goes_on: Whether the server names a next page.
    """

    number: int
    rows: Rows
    goes_on: bool


def each_page(
    client: Dhis2Client, path: str, params: Params, parse: Callable[[bytes], Page[Rows]]
) -> Iterator[Rows]:
    """Yield the rows of every page of a list.

    The end is where the server names no next page. A short page is not the end
    (tracker-api 2.4: rows are taken away after the page was cut).

    Raises:
        UnexpectedAnswer: The server answered another page than the one asked for.
    """
    for number in count(1):
        page = parse(client.get_bytes(path, {**params, "page": number}))
        if page.number != number:
            raise UnexpectedAnswer(
                f"{client.name}: GET {path} answered page {page.number} when asked for {number}"
            )
        yield page.rows
        if not page.goes_on:
            return
