"""The metadata: how objects of a class are read from a server, completely or not at all."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import islice

from dhis2_api.client import Dhis2Client, Json
from dhis2_api.errors import UnexpectedAnswer


Fields = dict[str, Json]

#: 300 UIDs make a URL of 4,300 characters, which passes; one above 8,000 does not (measured).
_AT_ONCE = 300

#: So many objects come with a page.
PAGE = 2_000

#: The classes that have one object of every server's own making (metadata 2.5).
DEFAULT_CLASSES = ("categoryCombos", "categoryOptionCombos", "categories", "categoryOptions")


def read_program(client: Dhis2Client, program: str) -> dict[str, list[Fields]]:
    """Return what `GET /api/programs/{uid}/metadata` gives: objects by class.

    It is not complete: see metadata 1.1 for what its objects refer to and it leaves out.

    Raises:
        RequestRefused: 404, no such program; 409, the account may not export metadata
            (recordings: 216-limited-program-metadata).
        UnexpectedAnswer: The answer lacks the program, so it is cut (metadata 1.2).
    """
    path = f"/api/programs/{program}/metadata"
    answer = client.get(path)
    if not isinstance(answer, dict):
        raise UnexpectedAnswer(f"{client.name}: GET {path} did not answer a JSON object")
    client.learn_version(answer)
    classes = {name: objects for name, objects in answer.items() if isinstance(objects, list)}
    if program not in {fields.get("id") for fields in classes.get("programs", [])}:
        raise UnexpectedAnswer(f"{client.name}: GET {path} answered without the program itself")
    return classes


def read_objects(client: Dhis2Client, plural: str, uids: Collection[str]) -> list[Fields]:
    """Return the objects of a class that exist and that the account may read.

    Args:
        client: The server.
        plural: The class as the API spells it, e.g. `dataElements`.
        uids: Which ones; those that are not there are left out of the answer.

    Raises:
        UnexpectedAnswer: The server answered others than asked for.
    """
    found = [
        fields
        for batch in batches(uids)
        for fields in read_class(client, plural, f"id:in:[{','.join(batch)}]")
    ]
    answered = [fields["id"] for fields in found]
    if len(answered) != len(set(answered)) or not set(answered) <= set(uids):
        raise UnexpectedAnswer(f"{client.name}: GET /api/{plural} answered others than asked for")
    return found


def read_class(
    client: Dhis2Client, plural: str, filter_: str | None = None, fields: str = ":owner"
) -> list[Fields]:
    """Return all objects of a class with the properties they own, or those a filter lets pass."""
    params = {"fields": fields, "paging": "false"} | ({"filter": filter_} if filter_ else {})
    answer = client.get(f"/api/{plural}", params)
    rows = answer.get(plural) if isinstance(answer, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) and "id" in row for row in rows):
        raise UnexpectedAnswer(f"{client.name}: GET /api/{plural} answered no list of objects")
    return rows


def read_pages(client: Dhis2Client, plural: str, filter_: str | None = None) -> list[Fields]:
    """Return all objects of a class, or those a filter lets pass, read page by page.

    Raises:
        UnexpectedAnswer: An answer is no page, or the pages hold fewer objects than the server
            counts, or one twice.
    """
    params = {"fields": ":owner", "order": "id:asc", "pageSize": str(PAGE)}
    params |= {"filter": filter_} if filter_ else {}
    rows: list[Fields] = []
    number, total = 1, 1
    while len(rows) < total:
        answer = client.get(f"/api/{plural}", params | {"page": str(number)})
        page, pager = _page(client, plural, answer)
        rows += page
        total = pager["total"]
        if not page:
            break
        number += 1
    if len({row["id"] for row in rows}) != total:
        raise UnexpectedAnswer(
            f"{client.name}: GET /api/{plural} gave {len(rows)} objects of {total} by pages"
        )
    return rows


def count_objects(client: Dhis2Client, plural: str, filter_: str) -> int:
    """Return how many objects of a class a filter lets pass.

    Raises:
        UnexpectedAnswer: The answer is no page.
    """
    params = {"fields": "id", "filter": filter_, "pageSize": "1"}
    _, pager = _page(client, plural, client.get(f"/api/{plural}", params))
    return int(pager["total"])


def _page(client: Dhis2Client, plural: str, answer: Json) -> tuple[list[Fields], Fields]:
    rows = answer.get(plural) if isinstance(answer, dict) else None
    pager = answer.get("pager") if isinstance(answer, dict) else None
    if isinstance(rows, list) and isinstance(pager, dict) and isinstance(pager.get("total"), int):
        return rows, pager
    raise UnexpectedAnswer(f"{client.name}: GET /api/{plural} answered no page of objects")


def batches(uids: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """Yield UIDs in order, as many at a time as go into a URL."""
    rest = iter(sorted(uids))
    while batch := tuple(islice(rest, _AT_ONCE)):
        yield batch
