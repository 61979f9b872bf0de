"""Why would a data value of an event be refused?"""

import json
from collections.abc import Iterator, Mapping

from dhis2_sandbox.imports.attribute_checks import check_option
from dhis2_sandbox.imports.binding import text_of
from dhis2_sandbox.imports.findings import Finding
from dhis2_sandbox.imports.kinds import Kind
from dhis2_sandbox.imports.situation import Situation, file_findings, finding
from dhis2_sandbox.imports.value_types import FILES, misfit
from dhis2_sandbox.metadata.store import Members


_KIND = Kind.EVENT
_ALWAYS = "ON_UPDATE_AND_INSERT"


def check_data_values(situation: Situation, item: Members) -> Iterator[Finding]:
    """Check every value, and that no compulsory one is missing."""
    elements = situation.model.stage_elements.get(item["programStage"], {})
    for sent in item.get("dataValues") or []:
        uid = sent.get("dataElement")
        element, value = situation.model.element(uid), text_of(sent.get("value"))
        if uid not in elements:
            yield finding(_KIND, item, "E1305", uid, item["programStage"])
        if element is None:
            yield finding(_KIND, item, "E1304", uid)
        elif value is not None:
            yield from _check_text(situation, item, element, value)
        elif elements.get(uid):
            yield finding(_KIND, item, "E1076", "DataElement", uid)
    yield from _check_compulsory(situation, item, elements)


def _check_text(
    situation: Situation, item: Members, element: Members, value: str
) -> Iterator[Finding]:
    value_type = element["valueType"]
    word = misfit(value_type, value)
    if word is not None:
        yield finding(_KIND, item, "E1302", element["id"], word)
    if value_type in FILES:
        missing = situation.dialect.missing_file_codes[1]
        yield from file_findings(situation, _KIND, item, value, missing)
    if value_type == "ORGANISATION_UNIT" and situation.model.path(value) is None:
        yield finding(_KIND, item, "E1302", element["id"], "value_not_valid_organisation_unit")
    yield from check_option(situation, _KIND, item, (element, value))


def _check_compulsory(
    situation: Situation, item: Members, elements: Mapping[str, bool]
) -> Iterator[Finding]:
    stage = situation.model.stage(item["programStage"]) or {}
    status = item.get("status") or "ACTIVE"
    wanted = status == "COMPLETED" or (
        stage.get("validationStrategy") == _ALWAYS and status in {"ACTIVE", "VISITED"}
    )
    if not wanted:
        return
    row = situation.before(_KIND, item)
    present = {sent.get("dataElement") for sent in item.get("dataValues") or []}
    present |= set(json.loads(row["data_values"])) if row is not None else set()
    for uid, compulsory in elements.items():
        if compulsory and uid not in present:
            yield finding(_KIND, item, "E1303", uid)
