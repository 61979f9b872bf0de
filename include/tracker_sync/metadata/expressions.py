"""The expressions: which objects do the rules and indicators of a program name in their text?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from dhis2_api.metadata import Fields


#: Class -> its fields that hold an expression.
EXPRESSIONS: Mapping[str, tuple[str, ...]] = {
    "programIndicators": ("expression", "filter"),
    "programRuleActions": ("data",),
    "programRules": ("condition",),
}

#: What stands in an expression -> the class it is of (metadata 1.1). In a rule `#{...}` and
#: `A{...}` are names of variables, which have references of their own.
_EVERYWHERE = (
    (re.compile(r"\bC\{([A-Za-z][A-Za-z0-9]{10})\}"), "constants"),
    (
        re.compile(r"d2:inOrgUnitGroup\(\s*['\"]([A-Za-z][A-Za-z0-9]{10})['\"]\s*\)"),
        "organisationUnitGroups",
    ),
)
_IN_INDICATORS = (
    (re.compile(r"#\{([A-Za-z][A-Za-z0-9]{10})\."), "programStages"),
    (re.compile(r"#\{[A-Za-z][A-Za-z0-9]{10}\.([A-Za-z][A-Za-z0-9]{10})\b"), "dataElements"),
    (re.compile(r"\bA\{([A-Za-z][A-Za-z0-9]{10})\}"), "trackedEntityAttributes"),
)


def named_in(plural: str, fields: Fields) -> Iterator[tuple[str, str, str]]:
    """Give field, class and UID of each object that the expressions of an object name."""
    patterns = _EVERYWHERE + (_IN_INDICATORS if plural == "programIndicators" else ())
    for field in EXPRESSIONS.get(plural, ()):
        text = fields.get(field) or ""
        for pattern, named in patterns:
            yield from ((field, named, uid) for uid in pattern.findall(text))
