"""The data store: small JSON values kept on the server, a lock or a checkpoint among them."""

from __future__ import annotations

from dhis2_api.answers import Answer, error_code, refuse_unless_done
from dhis2_api.client import Dhis2Client, Json
from dhis2_api.errors import RequestRefused, UnexpectedAnswer


# What a server says of a key that is there already, and of one that is not (recordings:
# 240-datastore-create-again, 244-datastore-read-missing).
_EXISTS = "E1004"
_MISSING = "E1005"


def create_value(client: Dhis2Client, namespace: str, key: str, value: Json) -> bool:
    """Keep a value if the key has none; return whether the value that stands there is this one.

    The server looks and keeps in one step, so a lock between two runs can rest on it (measured).
    An answer may be lost and its request sent again, by the caller or by a proxy, so a key that
    exists is read: it is ours if it holds *value*.

    Args:
        client: The server.
        namespace: Where the key is.
        key: The key.
        value: What to keep. It must hold a token that nobody else sends, or two who send the
            same both hear that it is theirs.

    Raises:
        TransientError: The outcome is unknown: create the same value again to learn it.
        RequestRefused: The server refused for another reason.
        UnexpectedAnswer: The answer is not the data store's.
    """
    answer = client.post(_path(namespace, key), value, also={409})
    if answer.status != 409:
        refuse_unless_done(answer, 201)
        return True
    code = error_code(answer)
    if code != _EXISTS:
        raise RequestRefused(f"{answer.what} answered 409", status=409, code=code)
    return bool(read_value(client, namespace, key) == value)


def read_value(client: Dhis2Client, namespace: str, key: str) -> Json:
    """Return the value of a key, or nothing if there is none."""
    answer = client.request("GET", _path(namespace, key), also={404})
    return None if _is_missing(answer) else answer.json()


def replace_value(client: Dhis2Client, namespace: str, key: str, value: Json) -> None:
    """Replace the value of a key that has one, whoever put it there.

    Raises:
        RequestRefused: 404, it has none.
        UnexpectedAnswer: The answer does not say that it was done; nor does a 201, of a server
            that made the key instead (2.41 and newer may).
    """
    answer = client.request("PUT", _path(namespace, key), payload=value)
    refuse_unless_done(answer, 200)


def keep_value(client: Dhis2Client, namespace: str, key: str, value: Json) -> None:
    """Keep a value, whether or not the key has one; the last who does so wins.

    Raises:
        Dhis2Error: As of `create_value` and `replace_value`.
    """
    if not create_value(client, namespace, key, value):
        replace_value(client, namespace, key, value)


def delete_value(client: Dhis2Client, namespace: str, key: str) -> bool:
    """Delete a key; return whether it was there.

    Raises:
        UnexpectedAnswer: The answer says neither that it was deleted nor that it is not there.
    """
    answer = client.request("DELETE", _path(namespace, key), also={404})
    if _is_missing(answer):
        return False
    refuse_unless_done(answer, 200)
    return True


def _is_missing(answer: Answer) -> bool:
    """Whether the data store says that a key is not there; a wrong address answers 404 as well."""
    if answer.status == 404 and error_code(answer) != _MISSING:
        raise UnexpectedAnswer(f"{answer.what} answered 404, and not as the data store does")
    return answer.status == 404


def read_keys(client: Dhis2Client, namespace: str) -> list[str]:
    """Return the keys of a namespace; none if nobody ever kept anything there.

    Raises:
        UnexpectedAnswer: Not a list of keys.
    """
    answer = client.request("GET", f"/api/dataStore/{namespace}", also={404})
    if _is_missing(answer):
        return []
    keys = answer.json()
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise UnexpectedAnswer(f"{answer.what} answered no list of keys")
    return keys


def _path(namespace: str, key: str) -> str:
    return f"/api/dataStore/{namespace}/{key}"
