"""The defaults: which value does a server give a field that is missing?

Nothing, false or zero, unless this table says otherwise. So a field that holds its default
says the same as one that is missing, and a `false` where the default is true is content.
"""

from __future__ import annotations

from collections.abc import Mapping

from dhis2_api.client import Json


#: Class -> field -> what a server gives it (the Java classes; recordings: 022 to 025, whose
#: payload left out `displayGenerateEventBox`, `autoGenerateEvent` and
#: `minAttributesRequiredToSearch`).
DEFAULTS: Mapping[str, Mapping[str, Json]] = {
    "categoryCombos": {"dataDimensionType": "DISAGGREGATION"},
    "categories": {"dataDimensionType": "DISAGGREGATION"},
    "programIndicators": {"analyticsType": "EVENT"},
    "programRuleActions": {"programRuleActionEvaluationTime": "ALWAYS"},
    "programRuleVariables": {"valueType": "TEXT"},
    "programStages": {
        "autoGenerateEvent": True,
        "displayGenerateEventBox": True,
        "featureType": "NONE",
        "validationStrategy": "ON_COMPLETE",
    },
    "programs": {
        "accessLevel": "OPEN",
        "displayIncidentDate": True,
        "featureType": "NONE",
        "minAttributesRequiredToSearch": 1,
    },
    "trackedEntityTypes": {"featureType": "NONE", "minAttributesRequiredToSearch": 1},
}

#: The default category objects of every server born since 2.2x (metadata 2.5).
USUAL = frozenset({"bjDvmb4bfuf", "HllvX50cXC0", "GLevLNI9wkl", "xYerKDKCefk"})

_NONE: Mapping[str, Json] = {}


def is_default(plural: str, name: str, value: Json) -> bool:
    """Whether a field holds what a server gives it if it is missing."""
    if value is None or value in ("", [], {}):
        return True
    table = DEFAULTS.get(plural, _NONE)
    if name in table:
        return bool(value == table[name])
    return value in (False, 0)
