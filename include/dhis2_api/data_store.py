"""The data store: small JSON values kept on the server, a lock or a checkpoint among them."""

from __future__ import annotations

from dhis2_api.answers import error_code
from dhis2_api.client import Dhis2Client, Json
from dhis2_api.errors import RequestRefused, UnexpectedAnswer


# What a server says of a key that is there already (recordings: 240-datastore-create-again).
_EXISTS = "E1004"


def create_value(client: Dhis2Client, namespace: str, key: str, value: Json) -> bool:
    """Keep a value if the key has none; return whether it had none.

    The server does both in one step, so a lock between two runs can rest on it (measured).

    Raises:
        TransientError: The outcome is unknown: read the value to see whose it is.
        RequestRefused: The server refused for another reason.
    """
    answer = client.post(_path(namespace, key), value, also={409})
    if answer.status == 201:
        return True
    if answer.status == 409 and error_code(answer) == _EXISTS:
        return False
    if answer.status == 409:
        raise RequestRefused(f"{answer.what} answered 409", status=409, code=error_code(answer))
    raise UnexpectedAnswer(f"{answer.what} answered {answer.status} instead of 201")


def read_value(client: Dhis2Client, namespace: str, key: str) -> Json:
    """Return the value of a key, or nothing if there is none."""
    answer = client.request("GET", _path(namespace, key), also={404})
    value = answer.json()
    if answer.status == 404 and error_code(answer) is None:
        raise UnexpectedAnswer(f"{answer.what} answered 404, and not as the data store does")
    return None if answer.status == 404 else value


def replace_value(client: Dhis2Client, namespace: str, key: str, value: Json) -> None:
    """Replace the value of a key that has one.

    Raises:
        RequestRefused: 404, it has none.
    """
    client.request("PUT", _path(namespace, key), payload=value)


def delete_value(client: Dhis2Client, namespace: str, key: str) -> bool:
    """Delete a key; return whether it was there."""
    answer = client.request("DELETE", _path(namespace, key), also={404})
    answer.json()
    return answer.status != 404


def _path(namespace: str, key: str) -> str:
    return f"/api/dataStore/{namespace}/{key}"
