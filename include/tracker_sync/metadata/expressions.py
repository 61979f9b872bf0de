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
        re.compile(r"d2:inOrgUnitGroup\(\s*['\"]([^'\"]+)['\"]\s*\)"),
        "organisationUnitGroups",  # by their UID or their code
    ),
)
#: Classes whose objects an expression may call by their code.
BY_CODE = frozenset({"organisationUnitGroups"})

_IN_INDICATORS = (
    (re.compile(r"#\{([A-Za-z][A-Za-z0-9]{10})\."), "programStages"),
    (re.compile(r"#\{[A-Za-z][A-Za-z0-9]{10}\.([A-Za-z][A-Za-z0-9]{10})\b"), "dataElements"),
    (re.compile(r"\bA\{([A-Za-z][A-Za-z0-9]{10})\}"), "trackedEntityAttributes"),
)

_ROLE = re.compile(r"d2:hasUserRole\(\s*['\"]([^'\"]+)['\"]\s*\)")

_UID = re.compile(r"[A-Za-z][A-Za-z0-9]{10}")


def roles_in(plural: str, fields: Fields) -> Iterator[tuple[str, str]]:
    """Give field and name of each user role, UID or code, that an object's expressions name."""
    for field in EXPRESSIONS.get(plural, ()):
        yield from ((field, name) for name in _ROLE.findall(fields.get(field) or ""))


def may_be_uid(name: str) -> bool:
    """Whether a name can be a UID; a code can look like one."""
    return _UID.fullmatch(name) is not None


def called(by_uid: Mapping[str, Fields], name: str) -> Fields | None:
    """Return the object of a class that an expression calls by this UID or code."""
    if name in by_uid:
        return by_uid[name]
    return next((fields for fields in by_uid.values() if fields.get("code") == name), None)


def named_in(plural: str, fields: Fields) -> Iterator[tuple[str, str, str]]:
    """Give field, class and UID of each object that the expressions of an object name.

    What is of `BY_CODE` may be named by its code instead.
    """
    patterns = _EVERYWHERE + (_IN_INDICATORS if plural == "programIndicators" else ())
    for field in EXPRESSIONS.get(plural, ()):
        text = fields.get(field) or ""
        for pattern, named in patterns:
            yield from ((field, named, uid) for uid in pattern.findall(text))
