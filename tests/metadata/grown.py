"""The district's model with an object of every kind that a program may need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dhis2_api.client import Dhis2Client
from metadata.objects import Fields, ids
from servers import DAKAR, HIV, PERSON, Pair, put, read


FIRST_NAME, NATIONAL_ID, PHONE = "igrbHRNTbIn", "kd7nkrMgEfm", "UuGeFXDfuFj"
INITIATION, FOLLOW_UP, LABORATORY = "nYjAPItoxo2", "NQAzEAcicmY", "KGOrZAOCozP"
WEIGHT, REGIMEN, ADHERENT, LOAD, NEXT = (
    "ol1WpmrN6NG",
    "XNCk5QhEBgw",
    "auU4HhEFrfW",
    "X5G8PbiUAwt",
    "RCKnLa47IoB",
)
REGIMENS = "rGXJBRiGJCF"  # an option set, and two of its options
TDF, ABC = "PNOoT7yjnBo", "unw4DpKayWZ"
RULE, ACTION, VARIABLE = "dloYswGH55a", "ObMg1wwbWkG", "CSRWrMmTjGH"

LIMIT, LEGENDS, LINES, TOWNS = "Constant001", "LegendSet01", "OptGroup001", "UnitGroup01"
INDICATOR, SECTION, STAGE_SECTION, FORM = "Indicator01", "ProgSecti01", "StagSecti01", "EntryForm01"
SECOND_RULE, SECOND_ACTION, SECOND_VARIABLE = "RuleGrown01", "ActionGrow1", "VariaGrown1"
CONTACT, MARK, NURSES = "ContactType", "Attribute01", "UserGroup01"
COMBO, CATEGORY, CATEGORY_OPTION = "CateCombo01", "Category001", "CateOption1"

_OPEN = {"public": "rwrw----", "users": {}, "userGroups": {}}
_ANYBODY = {"relationshipEntity": "TRACKED_ENTITY_INSTANCE", "trackedEntityType": {"id": PERSON}}
_MODEL: dict[str, list[Fields]] = {
    "attributes": [
        {
            "id": MARK,
            "name": "Repère",
            "code": "MARK",
            "valueType": "TEXT",
            "programAttribute": True,
        }
    ],
    "userGroups": [{"id": NURSES, "name": "Infirmiers", "code": "NURSES"}],
    "constants": [
        {"id": LIMIT, "name": "Seuil", "shortName": "Seuil", "code": "LIMIT", "value": 200.0}
    ],
    "legendSets": [
        {
            "id": LEGENDS,
            "name": "Tranches de poids",
            "code": "LEGENDS",
            "legends": [
                {
                    "id": "LegendLow01",
                    "name": "Bas",
                    "startValue": 0.0,
                    "endValue": 40.0,
                    "color": "#ff0000",
                },
                {
                    "id": "LegendHigh1",
                    "name": "Haut",
                    "startValue": 40.0,
                    "endValue": 200.0,
                    "color": "#00ff00",
                },
            ],
        }
    ],
    "optionGroups": [
        {
            "id": LINES,
            "name": "Première ligne",
            "shortName": "Ligne 1",
            "code": "LINE_1",
            "optionSet": {"id": REGIMENS},
            "options": ids(TDF),
        }
    ],
    "organisationUnitGroups": [
        {
            "id": TOWNS,
            "name": "Villes",
            "shortName": "Villes",
            "code": "TOWNS",
            "organisationUnits": ids(DAKAR),
        }
    ],
    "categoryOptions": [
        {"id": CATEGORY_OPTION, "name": "Projet", "shortName": "Projet", "code": "PROJECT"}
    ],
    "categories": [
        {
            "id": CATEGORY,
            "name": "Bailleur",
            "shortName": "Bailleur",
            "code": "DONOR",
            "dataDimensionType": "DISAGGREGATION",
            "categoryOptions": ids(CATEGORY_OPTION),
        }
    ],
    "categoryCombos": [
        {
            "id": COMBO,
            "name": "Bailleurs",
            "code": "DONORS",
            "dataDimensionType": "DISAGGREGATION",
            "categories": ids(CATEGORY),
        }
    ],
    "categoryOptionCombos": [
        {
            "id": "CateOptCom1",
            "name": "Projet",
            "categoryCombo": {"id": COMBO},
            "categoryOptions": ids(CATEGORY_OPTION),
        }
    ],
    "dataEntryForms": [{"id": FORM, "name": "Formulaire", "htmlCode": "<p>Visite</p>"}],
    "programSections": [
        {
            "id": SECTION,
            "name": "Identité",
            "program": {"id": HIV},
            "sortOrder": 1,
            "trackedEntityAttributes": ids(NATIONAL_ID, PHONE),
        }
    ],
    "programStageSections": [
        {
            "id": STAGE_SECTION,
            "name": "Mesures",
            "programStage": {"id": FOLLOW_UP},
            "sortOrder": 1,
            "dataElements": ids(WEIGHT, REGIMEN),
        }
    ],
    "programIndicators": [
        {
            "id": INDICATOR,
            "name": "Poids moyen",
            "shortName": "Poids moyen",
            "code": "MEAN_WEIGHT",
            "program": {"id": HIV},
            "expression": f"#{{{FOLLOW_UP}.{WEIGHT}}} / C{{{LIMIT}}}",
            "filter": f"A{{{PHONE}}} != ''",
            "aggregationType": "AVERAGE",
            "analyticsType": "EVENT",
            "decimals": 1,
            "legendSets": ids(LEGENDS),
        }
    ],
    "programRuleVariables": [
        {
            "id": SECOND_VARIABLE,
            "name": "telephone",
            "program": {"id": HIV},
            "programRuleVariableSourceType": "TEI_ATTRIBUTE",
            "trackedEntityAttribute": {"id": PHONE},
            "useCodeForOptionSet": False,
            "valueType": "TEXT",
        }
    ],
    "programRuleActions": [
        {
            "id": SECOND_ACTION,
            "programRuleActionType": "HIDEOPTIONGROUP",
            "dataElement": {"id": REGIMEN},
            "optionGroup": {"id": LINES},
            "programRule": {"id": SECOND_RULE},
        }
    ],
    "programRules": [
        {
            "id": SECOND_RULE,
            "name": "Hors des villes",
            "program": {"id": HIV},
            "programStage": {"id": FOLLOW_UP},
            "condition": f"!d2:inOrgUnitGroup('{TOWNS}')",
            "priority": 2,
            "programRuleActions": ids(SECOND_ACTION),
        }
    ],
    "relationshipTypes": [
        {
            "id": CONTACT,
            "name": "Contact",
            "code": "CONTACT",
            "bidirectional": False,
            "fromToName": "a rencontré",
            "sharing": _OPEN,
            "fromConstraint": _ANYBODY,
            "toConstraint": _ANYBODY,
        }
    ],
}
_INSIDE: list[tuple[str, str, Fields]] = [
    ("programs", HIV, {"attributeValues": [{"attribute": {"id": MARK}, "value": "VIH"}]}),
    ("programStages", LABORATORY, {"dataEntryForm": {"id": FORM}}),
    ("dataElements", LOAD, {"categoryCombo": {"id": COMBO}, "legendSets": ids(LEGENDS)}),
    (
        "dataElements",
        WEIGHT,
        {"translations": [{"locale": "en", "property": "NAME", "value": "Weight"}]},
    ),
]


def grow(server: Dhis2Client) -> None:
    """Add to the district's model what it lacks."""
    server.post("/api/metadata", _MODEL)
    for plural, uid, more in _INSIDE:
        change(server, plural, uid, **more)


def change(server: Dhis2Client, plural: str, uid: str, **fields: Any) -> None:
    """Change fields of an object of a server's metadata."""
    put(server, plural, read(server, plural, uid) | fields)


def add(server: Dhis2Client, plural: str, uid: str, field: str, *rows: Fields) -> None:
    """Add rows to a list of an object of a server's metadata."""
    change(server, plural, uid, **{field: [*read(server, plural, uid).get(field, []), *rows]})


def option_made_anew(old: str) -> Callable[[Pair], None]:
    """Return what gives the source an option anew: the same code, another UID."""

    def make(pair: Pair) -> None:
        held = read(pair.source, "optionSets", REGIMENS)["options"]
        code = read(pair.source, "options", old)["code"]
        change(pair.source, "optionSets", REGIMENS, options=[o for o in held if o["id"] != old])
        new = {"id": "OptionNew01", "optionSet": {"id": REGIMENS}, "code": code}
        put(pair.source, "options", new | {"name": "Nouveau"})

    return make
