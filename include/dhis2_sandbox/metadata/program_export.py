"""What does /api/programs/{uid}/metadata hand out?

The program with what it is made of, with the gap of the real export: an attribute that only the
tracked entity type uses is not in it (measured; recordings: 022 to 025).
"""

from collections.abc import Iterable, Mapping

from dhis2_sandbox.metadata.store import Members, Metadata


_CATEGORY_CHAIN = (
    ("categoryCombos", "categories", "categories"),
    ("categories", "categoryOptions", "categoryOptions"),
)


def program_closure(metadata: Metadata, program: Members) -> dict[str, list[Members]]:
    """Return the objects of a program's export, by class; classes without objects are left out."""
    stages = _named(metadata, "programStages", program.get("programStages", []))
    elements = _inner(metadata, stages, "programStageDataElements", "dataElement", "dataElements")
    attributes = _inner(
        metadata,
        [program],
        "programTrackedEntityAttributes",
        "trackedEntityAttribute",
        "trackedEntityAttributes",
    )
    option_sets = _members(metadata, elements + attributes, "optionSet", "optionSets")
    combos = _members(metadata, [program, *elements], "categoryCombo", "categoryCombos")
    closure = {
        "programs": [program],
        "programStages": stages,
        "trackedEntityTypes": _members(
            metadata, [program], "trackedEntityType", "trackedEntityTypes"
        ),
        "trackedEntityAttributes": attributes,
        "dataElements": elements,
        "optionSets": option_sets,
        "options": _named(metadata, "options", _inside(option_sets, "options")),
    }
    closure |= _rules(metadata, program) | _categories(metadata, combos)
    return {plural: objects for plural, objects in closure.items() if objects}


def _rules(metadata: Metadata, program: Members) -> dict[str, list[Members]]:
    rules = _of_program(metadata, "programRules", program)
    actions = _named(metadata, "programRuleActions", _inside(rules, "programRuleActions"))
    variables = _of_program(metadata, "programRuleVariables", program)
    return {
        "programRules": rules,
        "programRuleActions": actions,
        "programRuleVariables": variables,
    }


def _categories(metadata: Metadata, combos: list[Members]) -> dict[str, list[Members]]:
    found = {"categoryCombos": combos}
    for plural, member, target in _CATEGORY_CHAIN:
        found[target] = _named(metadata, target, _inside(found[plural], member))
    uids = {combo["id"] for combo in combos}
    found["categoryOptionCombos"] = [
        item
        for item in metadata.all("categoryOptionCombos")
        if item.get("categoryCombo", {}).get("id") in uids
    ]
    return found


def _named(
    metadata: Metadata, plural: str, references: Iterable[Mapping[str, str]]
) -> list[Members]:
    uids = dict.fromkeys(reference["id"] for reference in references)
    found = (metadata.get(plural, uid) for uid in uids)
    return [item for item in found if item is not None]


def _members(
    metadata: Metadata, holders: Iterable[Members], member: str, plural: str
) -> list[Members]:
    return _named(metadata, plural, [item[member] for item in holders if item.get(member)])


def _inner(
    metadata: Metadata, holders: Iterable[Members], members: str, member: str, plural: str
) -> list[Members]:
    return _members(metadata, _inside(holders, members), member, plural)


def _inside(holders: Iterable[Members], member: str) -> list[Members]:
    return [inner for holder in holders for inner in holder.get(member, [])]


def _of_program(metadata: Metadata, plural: str, program: Members) -> list[Members]:
    return [
        item for item in metadata.all(plural) if item.get("program", {}).get("id") == program["id"]
    ]
