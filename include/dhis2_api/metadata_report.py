"""The metadata import: what was sent, and what the server's report says of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError

from dhis2_api.answers import Answer, error_code
from dhis2_api.client import Dhis2Client
from dhis2_api.errors import Dhis2Error, RequestRefused, UnexpectedAnswer
from dhis2_api.metadata import Fields


#: Any other spelling is a commit (recordings: 014-metadata-misspelt-mode-is-a-commit).
Mode = Literal["VALIDATE", "COMMIT"]
Strategy = Literal["CREATE_AND_UPDATE", "DELETE"]


@dataclass(frozen=True, slots=True)
class ImportTerms:
    """How a payload is to be taken.

    Attributes:
        mode: Whether it is only looked at.
        keep_sharing: `skipSharing`: an object that is there keeps its sharing; a new one would
            be nobody's but its owner's (metadata 2.4).
        strategy: `DELETE` takes objects away; their UIDs are enough.
    """

    mode: Mode
    keep_sharing: bool = False
    strategy: Strategy = "CREATE_AND_UPDATE"

    @property
    def params(self) -> dict[str, str]:
        """The parameters of the request."""
        return {
            "importMode": self.mode,
            "importStrategy": self.strategy,
            "atomicMode": "ALL",  # NONE makes objects without the references they lack (measured)
            "skipSharing": "true" if self.keep_sharing else "false",
        }


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
        echo: The parameters as the server understood them, where it says so; the recorded
            ones don't.
    """

    accepted: bool
    counts: ImportCounts
    errors: tuple[MetadataError, ...]
    echo: Mapping[str, Any]


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
    echo: dict[str, Any] = Field(default={}, alias="importParams")


class _Envelope(BaseModel):
    response: _Report


def import_metadata(
    client: Dhis2Client, payload: Mapping[str, Sequence[Fields]], terms: ImportTerms
) -> MetadataReport:
    """Send objects by class, all or none, and return the server's report.

    Raises:
        RequestRefused: The server refused the request and named no object in it.
        UnexpectedAnswer: The answer is no import report, or says that the server took the
            request for another: a word it does not know is the default for it, a commit.
    """
    asked = terms.params
    answer = client.post("/api/metadata", payload, asked, also=(409,))
    report = read_report(answer)
    for name in sorted(asked.keys() & report.echo.keys()):
        if str(report.echo[name]).lower() != asked[name].lower():
            raise UnexpectedAnswer(
                f"{answer.what} took {name}={asked[name]} for another and may have written: "
                "compare the metadata of both servers before the next run"
            )
    return report


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
    return MetadataReport(report.status == "OK", report.stats, tuple(errors), report.echo)


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
