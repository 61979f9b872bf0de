"""How does a `filter` on attribute values or data values become SQL?"""

import re
from collections.abc import Iterator, Mapping

from dhis2_sandbox.exports.listing import Condition
from dhis2_sandbox.http.answers import Refused


_SPLIT = re.compile(r"(?<!/)[:]")
_COMMA = re.compile(r"(?<!/)[,]")
#: Per operator: the comparison of the lower-cased value, and how the sought text is bound.
_OPERATORS: Mapping[str, tuple[str, str]] = {
    "EQ": ("= ?", "{}"),
    "IEQ": ("= ?", "{}"),
    "NE": ("!= ?", "{}"),
    "NEQ": ("!= ?", "{}"),
    "NIEQ": ("!= ?", "{}"),
    "GT": ("> ?", "{}"),
    "GE": (">= ?", "{}"),
    "LT": ("< ?", "{}"),
    "LE": ("<= ?", "{}"),
    "LIKE": ("LIKE ?", "%{}%"),
    "ILIKE": ("LIKE ?", "%{}%"),
    "NLIKE": ("NOT LIKE ?", "%{}%"),
    "NILIKE": ("NOT LIKE ?", "%{}%"),
    "SW": ("LIKE ?", "{}%"),
    "EW": ("LIKE ?", "%{}"),
}
_UNARY = {"NULL": "NOT ", "!NULL": "", "NNULL": ""}


def attribute_conditions(filters: list[str]) -> Iterator[Condition]:
    """Yield a condition on people for every filter on an attribute.

    Raises:
        Refused: 400 for an operator that DHIS2 does not know (recordings: 141).
    """
    held = "EXISTS (SELECT 1 FROM attribute a WHERE a.entity = t.uid AND a.attribute = ?"
    for uid, operator, wish, text in _parsed(filters):
        if operator in _UNARY:
            yield Condition(_UNARY[operator] + held + ")", (uid,))
        else:
            comparison, values = _comparison(operator, wish, text)
            yield Condition(f"{held} AND lower(a.value) {comparison})", (uid, *values))


def data_value_conditions(filters: list[str]) -> Iterator[Condition]:
    """Yield a condition on events for every filter on a data element."""
    value = "json_extract(t.data_values, ?)"
    for uid, operator, wish, text in _parsed(filters):
        place = f"$.{uid}.value"
        if operator in _UNARY:
            test = "IS NULL" if operator == "NULL" else "IS NOT NULL"
            yield Condition(f"{value} {test}", (place,))
        else:
            comparison, values = _comparison(operator, wish, text)
            yield Condition(f"lower({value}) {comparison}", (place, *values))


def _parsed(filters: list[str]) -> Iterator[tuple[str, str, str, str]]:
    for text in filters:
        for part in _COMMA.split(text):
            uid, *tests = [_unescaped(piece) for piece in _SPLIT.split(part)]
            while tests:
                operator = tests.pop(0).upper()
                wish = "" if operator in _UNARY or not tests else tests.pop(0)
                yield uid, operator, wish, part
            if len(_SPLIT.split(part)) == 1:
                yield uid, "!NULL", "", part


def _comparison(operator: str, wish: str, text: str) -> tuple[str, tuple[str, ...]]:
    if operator == "IN":
        values = tuple(part.lower() for part in wish.split(";"))
        return f"IN ({', '.join('?' * len(values))})", values
    if operator not in _OPERATORS:
        message = f"filter={text} is invalid. '{operator}' is not a valid operator."
        raise Refused(400, message, "E1003")
    comparison, pattern = _OPERATORS[operator]
    return comparison, (pattern.format(wish.lower()),)


def _unescaped(text: str) -> str:
    return re.sub(r"/([:,/])", r"\1", text)
