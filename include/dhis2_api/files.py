"""The files: how the bytes behind a value are read from a server, and put on another."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from pydantic import BaseModel, Field, ValidationError

from dhis2_api.answers import Answer, error_code, refuse_if_broken, refuse_unless_done
from dhis2_api.client import Dhis2Client
from dhis2_api.errors import RequestRefused, UnexpectedAnswer
from dhis2_api.exchange import Params, Request


@dataclass(frozen=True, slots=True)
class File:
    """A file.

    Attributes:
        uid: The UID of its resource, which is the value that refers to it.
        name: Its name, which may be a patient's.
        kind: Its type, e.g. `application/pdf`.
        content: Its bytes.
    """

    uid: str
    name: str
    kind: str
    content: bytes

    def __repr__(self) -> str:
        return f"File({self.uid}, {len(self.content)} bytes)"


@dataclass(frozen=True, slots=True)
class Digest:
    """What a file's bytes come to: their length, and their MD5, which is the servers' choice."""

    length: int
    md5: str


@dataclass(frozen=True, slots=True)
class AttributeOfPerson:
    """Where a person's value stands.

    Attributes:
        tracked_entity: The person.
        attribute: The attribute.
        program: The program that has it; empty if the person's type has it.
    """

    tracked_entity: str
    attribute: str
    program: str = ""


class _Resource(BaseModel):
    name: str
    kind: str = Field(alias="contentType")
    length: int = Field(alias="contentLength")
    md5: str = Field(alias="contentMd5")


def read_event_file(client: Dhis2Client, uid: str, event: str, data_element: str) -> File:
    """Return the file *uid* that is an event's value.

    Raises:
        RequestRefused: It has no such file, or not its bytes (500), which others don't share.
        UnexpectedAnswer: What came is not the file that the server describes.
    """
    if client.dialect.tracker_files:
        return _read(client, uid, f"/api/tracker/events/{event}/dataValues/{data_element}/file")
    return _read(
        client, uid, "/api/events/files", {"eventUid": event, "dataElementUid": data_element}
    )


def read_attribute_file(
    client: Dhis2Client, uid: str, owner: AttributeOfPerson, *, image: bool = False
) -> File:
    """Return the file *uid* that is a person's value (tracker-api 6).

    Args:
        client: The server.
        uid: The file.
        owner: The value that names it.
        image: Whether the attribute is one for images, which 2.40 has another address for.

    Raises:
        RequestRefused, UnexpectedAnswer: As `read_event_file` does.
    """
    person, attribute = owner.tracked_entity, owner.attribute
    if client.dialect.tracker_files:
        path = f"/api/tracker/trackedEntities/{person}/attributes/{attribute}/file"
        return _read(client, uid, path, {"program": owner.program} if owner.program else {})
    form = "image" if image else "file"
    return _read(client, uid, f"/api/trackedEntityInstances/{person}/{attribute}/{form}")


def digest_of(client: Dhis2Client, uid: str) -> Digest | None:
    """Return what a server says a file's bytes come to; nothing if it has no file *uid*."""
    answer = client.request("GET", f"/api/fileResources/{uid}", also={404})
    if answer.status == 404:
        return None
    resource = _described(answer)
    return Digest(resource.length, resource.md5)


def upload_file(client: Dhis2Client, file: File) -> None:
    """Put a file on a server under the same UID, before the value that refers to it.

    A file that is there already, whole, is left alone.

    Raises:
        RequestRefused: The server refused it or broke down at it (500), or holds another file
            under that UID.
        UnexpectedAnswer: The answer is none about a file.
    """
    request = Request(
        "POST",
        "/api/fileResources",
        {"uid": file.uid, "domain": "DATA_VALUE"},
        files={"file": (file.name, file.content, file.kind)},
    )
    answer = client.send(request, also={409, 500})
    refuse_if_broken(answer)
    if answer.status != 409:
        refuse_unless_done(answer, 202)
        return
    if error_code(answer) != "E1119":
        raise _refused(answer, f"answered 409 for file {file.uid}")
    if not _is_same(_resource(client, file.uid), file.content):
        raise _refused(answer, f"answered 409 for file {file.uid}: another file has its UID")


def _refused(answer: Answer, how: str) -> RequestRefused:
    return RequestRefused(f"{answer.what} {how}", status=409, code=error_code(answer))


def _read(client: Dhis2Client, uid: str, path: str, params: Params | None = None) -> File:
    resource = _resource(client, uid)
    answer = client.send(Request("GET", path, params or {}, accept="*/*"), also={500})
    refuse_if_broken(answer)
    # A login page has a status of 200, too: only the digest tells them apart.
    if not _is_same(resource, answer.body):
        raise UnexpectedAnswer(f"{answer.what} answered other bytes than those of file {uid}")
    return File(uid, resource.name, resource.kind, answer.body)


def _resource(client: Dhis2Client, uid: str) -> _Resource:
    return _described(client.request("GET", f"/api/fileResources/{uid}"))


def _described(answer: Answer) -> _Resource:
    try:
        return _Resource.model_validate(answer.json())
    except ValidationError:
        raise UnexpectedAnswer(f"{answer.what} answered no file resource") from None


def _is_same(resource: _Resource, content: bytes) -> bool:
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()  # the server's own choice
    return resource.length == len(content) and resource.md5 == digest
