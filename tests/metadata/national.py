"""A program as large as the WHO's tuberculosis package: 174 data elements, 171 rules.

The counts are those of its published metadata (metadata 1.3: TB_CS 2.41, 2.67 MB).
"""

from __future__ import annotations

import json
from typing import Any

from dhis2_sandbox.metadata.classes import CLASSES
from metadata.objects import Fields, ids


PROGRAM, TYPE = "natProgram1", "natTypeTB01"
STAGES, ELEMENTS, ATTRIBUTES, SETS, OPTIONS = 4, 174, 11, 21, 69
RULES, ACTIONS, VARIABLES, INDICATORS, SECTIONS = 171, 264, 120, 255, 28
SHARING = {"public": "rwrw----", "users": {}, "userGroups": {}}
#: So much text in each object makes the whole of it 3 MB.
_TEXT = "Texte de la fiche individuelle de prise en charge. " * 70


def uid(kind: str, number: int) -> str:
    return f"nat{kind}{number:0{8 - len(kind)}d}"


def national(*org_units: str) -> dict[str, list[Fields]]:
    """Return the program with all it is made of, assigned to org units."""
    classes = {
        "optionSets": [option_set(number) for number in range(SETS)],
        "options": [option(number) for number in range(OPTIONS)],
        "dataElements": [element(number) for number in range(ELEMENTS)],
        "trackedEntityAttributes": [attribute(number) for number in range(ATTRIBUTES)],
        "trackedEntityTypes": [entity_type()],
        "programStageSections": [section(number) for number in range(SECTIONS)],
        "programStages": [stage(number) for number in range(STAGES)],
        "programs": [program(*org_units)],
        "programIndicators": [indicator(number) for number in range(INDICATORS)],
        "programRuleVariables": [variable(number) for number in range(VARIABLES)],
        "programRuleActions": [action(number) for number in range(ACTIONS)],
        "programRules": [rule(number) for number in range(RULES)],
    }
    return {plural: objects for plural, objects in classes.items() if plural in CLASSES}


def size(classes: dict[str, list[Fields]]) -> int:
    return len(json.dumps(classes))


def named(kind: str, number: int, **fields: Any) -> Fields:
    name = f"{kind} {number}"
    return {"id": uid(kind, number), "name": name, "description": _TEXT} | fields


def option_set(number: int) -> Fields:
    options = [uid("Opt", one) for one in range(OPTIONS) if one % SETS == number]
    fields = {"valueType": "TEXT", "options": ids(*options), "sharing": SHARING, "version": 1}
    return named("Set", number, **fields)


def option(number: int) -> Fields:
    own = {"code": f"O{number}", "optionSet": {"id": uid("Set", number % SETS)}}
    return named("Opt", number, sortOrder=number // SETS + 1, **own)


def element(number: int) -> Fields:
    own: Fields = {"domainType": "TRACKER", "valueType": "TEXT", "aggregationType": "NONE"}
    if number < SETS:
        own["optionSet"] = {"id": uid("Set", number)}
    combo = {"categoryCombo": {"id": "bjDvmb4bfuf"}, "sharing": SHARING}
    return named("El", number, shortName=f"El {number}", code=f"EL_{number}", **own, **combo)


def attribute(number: int) -> Fields:
    own = {"valueType": "TEXT", "aggregationType": "NONE", "sharing": SHARING}
    return named("At", number, shortName=f"At {number}", code=f"AT_{number}", **own)


def entity_type() -> Fields:
    rows = [
        {"trackedEntityAttribute": {"id": uid("At", number)}, "displayInList": True}
        for number in range(ATTRIBUTES)
    ]
    own = {"id": TYPE, "shortName": "TB", "trackedEntityTypeAttributes": rows}
    return named("Tet", 0, sharing=SHARING) | own


def section(number: int) -> Fields:
    held = [uid("El", one) for one in range(ELEMENTS) if one % SECTIONS == number]
    own = {"programStage": {"id": uid("St", number % STAGES)}, "dataElements": ids(*held)}
    return named("Sec", number, sortOrder=number, **own)


def stage(number: int) -> Fields:
    held = [one for one in range(ELEMENTS) if one % STAGES == number]
    rows = [
        {"dataElement": {"id": uid("El", one)}, "sortOrder": rank, "compulsory": False}
        for rank, one in enumerate(held, start=1)
    ]
    known = range(SECTIONS if "programStageSections" in CLASSES else 0)
    sections = [uid("Sec", one) for one in known if one % STAGES == number]
    own = {"program": {"id": PROGRAM}, "programStageDataElements": rows, "sharing": SHARING}
    return named("St", number, programStageSections=ids(*sections), **own)


def program(*org_units: str) -> Fields:
    rows = [
        {"trackedEntityAttribute": {"id": uid("At", number)}, "sortOrder": number + 1}
        for number in range(ATTRIBUTES)
    ]
    own: Fields = {
        "id": PROGRAM,
        "shortName": "TB",
        "code": "TB",
        "programType": "WITH_REGISTRATION",
    }
    own |= {"trackedEntityType": {"id": TYPE}, "categoryCombo": {"id": "bjDvmb4bfuf"}}
    lists: Fields = {"programTrackedEntityAttributes": rows, "organisationUnits": ids(*org_units)}
    lists["programStages"] = ids(*(uid("St", number) for number in range(STAGES)))
    return named("Prg", 0, sharing=SHARING, **lists) | own


def indicator(number: int) -> Fields:
    expression = f"#{{{uid('St', number % STAGES)}.{uid('El', number % ELEMENTS)}}}"
    own = {"program": {"id": PROGRAM}, "expression": expression, "analyticsType": "EVENT"}
    return named("Pi", number, shortName=f"Pi {number}", sharing=SHARING, **own)


def variable(number: int) -> Fields:
    own = {"program": {"id": PROGRAM}, "dataElement": {"id": uid("El", number)}}
    kind = {"programRuleVariableSourceType": "DATAELEMENT_NEWEST_EVENT_PROGRAM"}
    return named("Var", number, **own, **kind)


def action(number: int) -> Fields:
    own = {"programRule": {"id": uid("Rul", number % RULES)}, "content": _TEXT}
    kind = {"programRuleActionType": "SHOWWARNING"}
    return {"id": uid("Act", number), "dataElement": {"id": uid("El", number % 9)}, **own, **kind}


def rule(number: int) -> Fields:
    actions = [uid("Act", one) for one in range(ACTIONS) if one % RULES == number]
    own = {"program": {"id": PROGRAM}, "condition": f"#{{Var {number % VARIABLES}}} > 0"}
    return named("Rul", number, programRuleActions=ids(*actions), **own)
