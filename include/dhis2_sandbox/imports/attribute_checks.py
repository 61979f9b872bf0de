"""Why would an attribute value be refused?"""

from collections.abc import Callable, Iterator, Mapping

from dhis2_sandbox.imports.binding import text_of
from dhis2_sandbox.imports.findings import Finding
from dhis2_sandbox.imports.kinds import Kind
from dhis2_sandbox.imports.situation import Situation, file_findings, finding
from dhis2_sandbox.imports.value_types import FILES, REFUSED_TWICE, misfit
from dhis2_sandbox.metadata.store import Members


_LONGEST = 1200
#: Per code of a value that does not fit its type: what the finding names.
_MISFIT: Mapping[str, Callable[[Members, str, str], tuple[str, str]]] = {
    "E1007": lambda attribute, value, _: (attribute["valueType"], f'Invalid format: "{value}"'),
    "E1085": lambda attribute, _, word: (attribute["id"], word),
}


def check_values(situation: Situation, kind: Kind, item: Members) -> Iterator[Finding]:
    """Check what every attribute value must satisfy, wherever it is sent."""
    for sent in item.get("attributes") or []:
        attribute = situation.model.attribute(sent.get("attribute"))
        value = text_of(sent.get("value"))
        if not sent.get("attribute"):
            yield finding(kind, item, "E1075", sent.get("value"))
        elif attribute is None:
            yield finding(kind, item, "E1006", sent.get("attribute"))
        elif value is not None:
            yield from _check_text(situation, kind, item, (attribute, value))
            yield from _check_unique(situation, kind, item, (attribute, value))


def _check_text(
    situation: Situation, kind: Kind, item: Members, sent: tuple[Members, str]
) -> Iterator[Finding]:
    attribute, value = sent
    value_type = attribute["valueType"]
    if len(value) > _LONGEST:
        yield finding(kind, item, "E1077", value, _LONGEST)
    word = misfit(value_type, value)
    if word is not None:
        *some_types_only, last = situation.dialect.attribute_value_codes
        for code in (*(some_types_only if value_type in REFUSED_TWICE else ()), last):
            yield finding(kind, item, code, *_MISFIT[code](attribute, value, word))
    if value_type in FILES:
        missing = situation.dialect.missing_file_codes[0]
        yield from file_findings(situation, kind, item, value, missing)
    yield from check_option(situation, kind, item, sent)


def check_option(
    situation: Situation, kind: Kind, item: Members, sent: tuple[Members, str]
) -> Iterator[Finding]:
    """Check that a value of an attribute or data element with options is one of them."""
    definition, value = sent
    option_set = (definition.get("optionSet") or {}).get("id")
    if option_set is None:
        return
    codes = situation.model.option_codes.get(option_set, frozenset())
    parts = value.split(",") if definition["valueType"] == "MULTI_TEXT" else [value]
    if not codes.issuperset(parts):
        yield finding(kind, item, "E1125", value, option_set)


def _check_unique(
    situation: Situation, kind: Kind, item: Members, sent: tuple[Members, str]
) -> Iterator[Finding]:
    """Refuse what another person holds, stored or in the same request (recordings: 302 to 307)."""
    attribute, value = sent
    if not attribute.get("unique"):
        return
    key = (attribute["id"], value)
    holders = {*situation.stored.holders.get(key, ()), *situation.entities_by_value.get(key, ())}
    if holders - {item["trackedEntity"]}:
        yield finding(kind, item, "E1064", value, attribute["id"])


def check_mandatory_nulls(
    kind: Kind, item: Members, mandatory: frozenset[str]
) -> Iterator[Finding]:
    """Refuse to clear a mandatory attribute."""
    for sent in item.get("attributes") or []:
        if sent.get("attribute") in mandatory and text_of(sent.get("value")) is None:
            yield finding(kind, item, "E1076", "TrackedEntityAttribute", sent["attribute"])


def known_attributes(situation: Situation, *items: Members) -> set[str]:
    """Return the attributes that the objects carry, null or not, and those that are stored."""
    entity = next((item["trackedEntity"] for item in items if item.get("trackedEntity")), "")
    carried = {sent.get("attribute") for item in items for sent in item.get("attributes") or []}
    return {name for name in carried if name} | set(situation.stored.attributes.get(entity, ()))
