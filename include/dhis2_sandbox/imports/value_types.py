"""Does a text fit a value type?"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime


_NUMBER = re.compile(r"^(-?0|-?[1-9]\d*)(\.\d+)?(E(-)?\d+)?$")
_INTEGER = re.compile(r"^(0|-?[1-9]\d*)$")
_POSITIVE = re.compile(r"^[1-9]\d*$")
_NEGATIVE = re.compile(r"^-[1-9]\d*$")
_ZERO_OR_POSITIVE = re.compile(r"^(0|[1-9]\d*)$")
_TIME = re.compile(r"^([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d)?$")
_EMAIL = re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
_PHONE = re.compile(r"^[0-9+()#.\s/ext-]{6,50}$")
_MAXIMUM = 50_000


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text[:10])
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_between(text: str, lowest: float, highest: float) -> bool:
    return bool(_NUMBER.match(text)) and lowest <= float(text) <= highest


def _is_coordinate(text: str) -> bool:
    try:
        longitude, latitude = json.loads(text)
        return abs(float(longitude)) <= 180 and abs(float(latitude)) <= 90
    except (ValueError, TypeError):
        return False


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


#: Per value type: the test of a text, and the word with which DHIS2 refuses it.
_TESTS: Mapping[str, tuple[Callable[[str], object], str]] = {
    "NUMBER": (_NUMBER.match, "value_not_numeric"),
    "INTEGER": (_INTEGER.match, "value_not_integer"),
    "INTEGER_POSITIVE": (_POSITIVE.match, "value_not_positive_integer"),
    "INTEGER_NEGATIVE": (_NEGATIVE.match, "value_not_negative_integer"),
    "INTEGER_ZERO_OR_POSITIVE": (_ZERO_OR_POSITIVE.match, "value_not_zero_or_positive_integer"),
    "PERCENTAGE": (lambda text: _is_between(text, 0, 100), "value_not_percentage"),
    "UNIT_INTERVAL": (lambda text: _is_between(text, 0, 1), "value_not_unit_interval"),
    "BOOLEAN": (lambda text: text in {"true", "false"}, "value_not_bool"),
    "TRUE_ONLY": (lambda text: text == "true", "value_not_true_only"),
    "DATE": (_is_date, "value_not_valid_date"),
    "AGE": (_is_date, "value_not_valid_date"),
    "DATETIME": (_is_date, "value_not_valid_datetime"),
    "TIME": (_TIME.match, "value_not_valid_time"),
    "EMAIL": (_EMAIL.match, "value_not_valid_email"),
    "PHONE_NUMBER": (_PHONE.match, "value_not_valid_phone_number"),
    "LETTER": (lambda text: len(text) == 1 and text.isalpha(), "value_not_valid_letter"),
    "COORDINATE": (_is_coordinate, "value_not_coordinate"),
    "GEOJSON": (_is_json, "value_not_valid_geojson"),
}
#: Value types whose attributes are refused with a second code as well (recordings: 051).
REFUSED_TWICE = frozenset({"NUMBER", "BOOLEAN", "DATE", "TRUE_ONLY", "DATETIME"})
FILES = frozenset({"FILE_RESOURCE", "IMAGE"})


def misfit(value_type: str, text: str) -> str | None:
    """Return DHIS2's word for why the text does not fit, or None if it does."""
    if len(text) > _MAXIMUM:
        return "value_length_greater_than_max_length"
    test, word = _TESTS.get(value_type, (str, ""))
    return None if test is str or test(text) else word
