"""What does a server's import report say?

The bodies are those of DHIS2 2.42.4 (recordings: 013, 018, 020, 021, 216).
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from dhis2_api.answers import Answer
from dhis2_api.errors import RequestRefused, UnexpectedAnswer
from dhis2_api.metadata_report import ImportCounts, MetadataError, read_report


KLASS = "org.hisp.dhis.dataelement.DataElement"


def answer(status: int, body: Any) -> Answer:
    kind = "application/json;charset=UTF-8"
    return Answer("there: POST /api/metadata", status, kind, json.dumps(body).encode())


def report(status: str, errors: list[dict[str, Any]], **stats: int) -> dict[str, Any]:
    counts = {"created": 0, "updated": 0, "deleted": 0, "ignored": 0, "total": 0} | stats
    found = [{"klass": KLASS, "index": 0, "uid": "JJKigGPrFoX", "errorReports": errors}]
    kinds = [{"klass": KLASS, "stats": counts, "objectReports": found if errors else []}]
    return {
        "httpStatus": "Conflict" if errors else "OK",
        "status": "WARNING" if errors else "OK",
        "response": {
            "status": status,
            "stats": counts,
            "typeReports": kinds,
            "responseType": "ImportReportWebMessageResponse",
        },
    }


def test_an_accepted_import_says_what_it_did() -> None:
    body = report("OK", [], created=66, total=66)

    seen = read_report(answer(200, body))

    assert seen.accepted
    assert seen.counts == ImportCounts(created=66, updated=0, deleted=0, ignored=0, total=66)
    assert seen.errors == ()


def test_a_refusal_names_class_uid_code_and_property_and_never_the_text() -> None:
    error = {
        "message": "Invalid reference [a5bUJH1MAcF] on object Secret [JJKigGPrFoX]",
        "mainKlass": KLASS,
        "errorProperty": "optionSet",
        "errorCode": "E5002",
    }

    seen = read_report(answer(409, report("ERROR", [error], ignored=2, total=2)))

    assert not seen.accepted
    assert seen.errors == (MetadataError("DataElement", "JJKigGPrFoX", "E5002", "optionSet"),)
    assert "Secret" not in f"{seen} {seen.errors[0]}"


def test_an_error_without_a_property_is_still_named() -> None:
    error = {"message": "…", "errorCode": "E4014"}

    seen = read_report(answer(409, report("ERROR", [error], ignored=1, total=1)))

    assert [str(found) for found in seen.errors] == ["DataElement JJKigGPrFoX: E4014"]


def test_a_warning_is_no_acceptance() -> None:
    error = {"message": "…", "errorCode": "E5002"}

    seen = read_report(answer(409, report("WARNING", [error], created=1, total=1)))

    assert not seen.accepted


def test_a_refused_request_without_a_report_is_no_report() -> None:
    body = {"httpStatus": "Conflict", "httpStatusCode": 409, "status": "ERROR", "message": "…"}

    with pytest.raises(RequestRefused, match="named no object"):
        read_report(answer(409, body))


def test_an_answer_of_another_shape_is_no_report() -> None:
    with pytest.raises(UnexpectedAnswer, match="no import report"):
        read_report(answer(200, {"status": "OK"}))
