"""The metadata import: what was sent, and what the server's report says of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, Field, ValidationError

from dhis2_api.answers import Answer, error_code
from dhis2_api.client import Dhis2Client
from dhis2_api.errors import Dhis2Error, RequestRefused, UnexpectedAnswer
from dhis2_api.metadata import Fields


#: Any other spelling is a commit (recordings: 014-metadata-misspelt-mode-is-a-commit).
Mode = Literal["VALIDATE", "COMMIT"]


@dataclass(frozen=True, slots=True)
class MetadataError:
    """Why one object was refused.

    Attributes:
        klass: Its class, e.g. `DataElement`.
        uid: Its UID; empty where the report has none.
        code: The DHIS2 code, e.g. `E5002`.
        field: The property at fault; empty where the report has none.
    """

    klass: str
    uid: str
    code: str
    field: str

    def __str__(self) -> str:
        where = f"{self.klass} {self.uid}".strip()
        return f"{where}: {self.code}" + (f" on {self.field}" if self.field else "")


class ImportCounts(BaseModel):
    """How many objects the server counted under each outcome."""

    created: int
    updated: int
    deleted: int
    ignored: int
    total: int


@dataclass(frozen=True, slots=True)
class MetadataReport:
    """What the server says of one import.

    Attributes:
        accepted: Whether all of it was.
        counts: Objects by outcome; in `VALIDATE` what a commit would do.
        errors: One line for each reason of each refused object, without the
            server's text, which quotes names and values.
    """

    accepted: bool
    counts: ImportCounts
    errors: tuple[MetadataError, ...]


class _Error(BaseModel):
    code: str = Field(alias="errorCode")
    field: str = Field(default="", alias="errorProperty")


class _Object(BaseModel):
    klass: str
    uid: str = ""
    errors: list[_Error] = Field(default=[], alias="errorReports")


class _Type(BaseModel):
    objects: list[_Object] = Field(default=[], alias="objectReports")


class _Report(BaseModel):
    status: str
    stats: ImportCounts
    types: list[_Type] = Field(default=[], alias="typeReports")


class _Envelope(BaseModel):
    response: _Report


def import_metadata(
    client: Dhis2Client, payload: Mapping[str, Sequence[Fields]], mode: Mode
) -> MetadataReport:
    """Send objects by class, all or none, and return the server's report.

    Raises:
        RequestRefused: The server refused the request and named no object in it.
        UnexpectedAnswer: The answer is no import report.
    """
    params = {
        "importMode": mode,
        "importStrategy": "CREATE_AND_UPDATE",
        "atomicMode": "ALL",  # NONE creates objects without the references they lack (measured)
    }
    answer = client.post("/api/metadata", payload, params, also=(409,))
    return read_report(answer)


def read_report(answer: Answer) -> MetadataReport:
    """Return the report in an answer to `POST /api/metadata`."""
    try:
        report = _Envelope.model_validate(answer.json()).response
    except ValidationError:
        raise _no_report(answer) from None
    errors = (
        MetadataError(found.klass.rpartition(".")[2], found.uid, error.code, error.field)
        for kind in report.types
        for found in kind.objects
        for error in found.errors
    )
    return MetadataReport(report.status == "OK", report.stats, tuple(errors))


def _no_report(answer: Answer) -> Dhis2Error:
    if answer.status < 400:
        return UnexpectedAnswer(f"{answer.what} answered no import report")
    code = error_code(answer)
    return RequestRefused(
        f"{answer.what} answered {answer.status}{f' ({code})' if code else ''} and named "
        "no object: the payload as a whole was refused; see the server's log",
        status=answer.status,
        code=code,
    )
