"""The metadata: how objects of a class are read from a server, completely or not at all."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import islice

from dhis2_api.client import Dhis2Client, Json
from dhis2_api.errors import UnexpectedAnswer


Fields = dict[str, Json]

#: 300 UIDs make a URL of 4,300 characters, which passes; one above 8,000 does not (measured).
_AT_ONCE = 300

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
        for batch in _batches(sorted(uids))
        for fields in read_class(client, plural, f"id:in:[{','.join(batch)}]")
    ]
    answered = [fields["id"] for fields in found]
    if len(answered) != len(set(answered)) or not set(answered) <= set(uids):
        raise UnexpectedAnswer(f"{client.name}: GET /api/{plural} answered others than asked for")
    return found


def read_class(client: Dhis2Client, plural: str, filter_: str | None = None) -> list[Fields]:
    """Return all objects of a class with the properties they own, or those a filter lets pass."""
    params = {"fields": ":owner", "paging": "false"} | ({"filter": filter_} if filter_ else {})
    answer = client.get(f"/api/{plural}", params)
    rows = answer.get(plural) if isinstance(answer, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) and "id" in row for row in rows):
        raise UnexpectedAnswer(f"{client.name}: GET /api/{plural} answered no list of objects")
    return rows


def read_default_objects(client: Dhis2Client) -> dict[str, str]:
    """Return the UID of the default object of each of `DEFAULT_CLASSES`.

    A server finds its own by their name; the UIDs differ on servers born before 2.2x.

    Raises:
        UnexpectedAnswer: A class has none, or several.
    """
    found = {}
    for plural in DEFAULT_CLASSES:
        objects = read_class(client, plural, "name:eq:default")
        if len(objects) != 1:
            raise UnexpectedAnswer(
                f"{client.name}: {len(objects)} of the {plural} are named default instead of one"
            )
        found[plural] = str(objects[0]["id"])
    return found


def _batches(uids: list[str]) -> Iterator[list[str]]:
    rest = iter(uids)
    while batch := list(islice(rest, _AT_ONCE)):
        yield batch
