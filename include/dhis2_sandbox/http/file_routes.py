"""How do files get in and out?"""

import hashlib
import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from starlette.datastructures import UploadFile

from dhis2_sandbox.exports.part_views import visible
from dhis2_sandbox.http.answers import Refused, RefusedByTomcat, json_answer, web_message
from dhis2_sandbox.http.visits import Asking, Visit, demand
from dhis2_sandbox.identifiers import new_uid
from dhis2_sandbox.metadata.members import user_reference


router = APIRouter(prefix="/api")
_NO_SHARING = {"external": False, "users": {}, "userGroups": {}}


class Upload:
    """The file of a multipart request."""

    def __init__(self, name: str, content_type: str, content: bytes) -> None:
        """Keep what came."""
        self.name = name
        self.content_type = content_type
        self.content = content


async def uploaded(request: Request) -> Upload:
    """Read the part `file` before the request leaves for a worker thread.

    Raises:
        Refused: 400 without such a part.
    """
    async with request.form() as form:
        part = form.get("file")
        if not isinstance(part, UploadFile):
            raise Refused(400, "Required part 'file' is not present.")
        content_type = part.content_type or "application/octet-stream"
        return Upload(part.filename or "file", content_type, await part.read())


@router.post("/fileResources")
def upload(asking: Asking, sent: Annotated[Upload, Depends(uploaded)]) -> Response:
    """Keep a file, under the UID that the client wishes (recordings: 200, 201)."""
    uid = asking.query.get("uid") or new_uid()
    body = _described(asking, uid, sent)
    with asking.sandbox.database.writing() as connection:
        done = connection.execute(
            "INSERT OR IGNORE INTO file_resource VALUES (?, ?, ?)",
            (uid, json.dumps(body, ensure_ascii=False), sent.content),
        ).rowcount
    if not done:
        raise Refused(409, f"FileResource already exists: `{uid}`", "E1119")
    pending = {"fileResource": body | {"storageStatus": "PENDING"}}
    return web_message(202, response=pending | {"responseType": "FileResourceWebMessageResponse"})


@router.get("/fileResources/{uid}")
def describe(uid: str, asking: Asking) -> Response:
    """Answer what is known about a file."""
    return json_answer(_file(asking, uid)[0])


@router.get("/tracker/events/{event}/dataValues/{element}/file")
def download_of_event(event: str, element: str, asking: Asking) -> Response:
    """Answer the file that a data value names."""
    if not asking.sandbox.dialect.tracker_files:
        raise RefusedByTomcat(404, f"No static resource {asking.request.url.path.strip('/')}.")
    return file_of_event(asking, event, element)


def file_of_event(asking: Visit, event: str, element: str) -> Response:
    """Return the file that a data value of an event names."""
    with asking.sandbox.database.reading() as connection:
        row = connection.execute(
            "SELECT json_extract(data_values, ?) AS uid FROM event WHERE uid = ? AND deleted = 0",
            (f"$.{element}.value", event),
        ).fetchone()
    demand(row, "Event", event)
    return _content(asking, row["uid"])


@router.get("/tracker/trackedEntities/{entity}/attributes/{attribute}/file")
def download_of_attribute(entity: str, attribute: str, asking: Asking) -> Response:
    """Answer the file that an attribute value names."""
    if not asking.sandbox.dialect.tracker_files:
        raise RefusedByTomcat(404, f"No static resource {asking.request.url.path.strip('/')}.")
    return file_of_person(asking, entity, attribute)


def file_of_person(asking: Visit, entity: str, attribute: str) -> Response:
    """Return the file that an attribute value of a person names."""
    with asking.sandbox.database.reading() as connection:
        row = connection.execute(
            "SELECT value FROM attribute WHERE entity = ? AND attribute = ?", (entity, attribute)
        ).fetchone()
    demand(row, "TrackedEntity", entity)
    return _content(asking, row["value"])


def _content(asking: Visit, uid: str | None) -> Response:
    body, content = _file(asking, uid or "")
    return Response(content, media_type=f"{body['contentType']};charset=UTF-8")


def _file(asking: Visit, uid: str) -> tuple[dict[str, Any], bytes]:
    with asking.sandbox.database.reading() as connection:
        row = connection.execute("SELECT * FROM file_resource WHERE uid = ?", (uid,)).fetchone()
    demand(row, "FileResource", uid)
    return json.loads(row["body"]), row["content"]


def _described(asking: Visit, uid: str, sent: Upload) -> dict[str, Any]:
    stamp = asking.sandbox.clock.stamp()
    user = asking.sandbox.metadata.get("users", asking.rights.uid) or {"id": asking.rights.uid}
    return {
        "name": sent.name,
        "created": stamp,
        "lastUpdated": stamp,
        "createdBy": user_reference(user),
        "lastUpdatedBy": user_reference(user),
        "contentType": sent.content_type,
        "contentLength": len(sent.content),
        "contentMd5": hashlib.md5(sent.content, usedforsecurity=False).hexdigest(),
        "assigned": False,
        "domain": asking.query.get("domain") or "DATA_VALUE",
        "hasMultipleStorageFiles": False,
        "storageStatus": "STORED",
        "displayName": sent.name,
        "id": uid,
        "translations": [],
        "favorites": [],
        "favorite": False,
        "sharing": visible(_NO_SHARING, "sharing", asking.sandbox.dialect.hidden),
        "user": user_reference(user),
        "attributeValues": [],
    }
