"""How do applications keep small values on the server?"""

import json

from fastapi import APIRouter, Response

from dhis2_sandbox.http.answers import Refused, json_answer, web_message
from dhis2_sandbox.http.visits import Asking, Visit


router = APIRouter(prefix="/api/dataStore")
_ONE = "namespace = ? AND key = ?"


@router.get("/{namespace}")
def keys(namespace: str, asking: Asking) -> Response:
    """Answer the keys of a namespace."""
    with asking.sandbox.database.reading() as connection:
        rows = connection.execute(
            "SELECT key FROM data_store WHERE namespace = ? ORDER BY key", (namespace,)
        ).fetchall()
    if not rows:
        raise Refused(404, f"Namespace not found: '{namespace}'", "E1005")
    return json_answer([row["key"] for row in rows])


@router.get("/{namespace}/{key}")
def read(namespace: str, key: str, asking: Asking) -> Response:
    """Answer a value."""
    with asking.sandbox.database.reading() as connection:
        row = connection.execute(
            f"SELECT value FROM data_store WHERE {_ONE}",  # noqa: S608 - our own names
            (namespace, key),
        ).fetchone()
    if row is None:
        _missing(namespace, key)
    return json_answer(json.loads(row["value"]))


@router.post("/{namespace}/{key}")
def create(namespace: str, key: str, asking: Asking) -> Response:
    """Keep a value, unless there is one: a lock can rest on it (recordings: 239, 240)."""
    value = _value(asking)
    with asking.sandbox.database.writing() as connection:
        done = connection.execute(
            "INSERT OR IGNORE INTO data_store VALUES (?, ?, ?)", (namespace, key, value)
        ).rowcount
    if not done:
        message = f"Key '{key}' already exists in namespace '{namespace}'"
        raise Refused(409, message, "E1004")
    return web_message(201, f"Key created: '{key}'")


@router.put("/{namespace}/{key}")
def update(namespace: str, key: str, asking: Asking) -> Response:
    """Keep another value; a key that is not there is made (2.41 and newer)."""
    value = _value(asking)
    with asking.sandbox.database.writing() as connection:
        connection.execute(
            "INSERT OR REPLACE INTO data_store VALUES (?, ?, ?)", (namespace, key, value)
        )
    return web_message(200, f"Key updated: '{key}'")


@router.delete("/{namespace}/{key}")
def delete(namespace: str, key: str, asking: Asking) -> Response:
    """Forget a value."""
    with asking.sandbox.database.writing() as connection:
        done = connection.execute(
            f"DELETE FROM data_store WHERE {_ONE}",  # noqa: S608 - our own names
            (namespace, key),
        ).rowcount
    if not done:
        _missing(namespace, key)
    return web_message(200, f"Key '{key}' deleted from namespace '{namespace}'")


def _missing(namespace: str, key: str) -> None:
    raise Refused(404, f"Key '{key}' not found in namespace '{namespace}'", "E1005")


def _value(asking: Visit) -> str:
    try:
        return json.dumps(json.loads(asking.body), ensure_ascii=False)
    except ValueError as error:
        raise Refused(400, f"JSON parse error: {error}") from error
