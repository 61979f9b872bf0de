"""Which members of metadata follow from other objects?

Paths and levels of org units, and the lists in which children appear.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from dhis2_sandbox.metadata.classes import INNER_LISTS, ChildList
from dhis2_sandbox.metadata.store import Members, Metadata


@dataclass(frozen=True, slots=True)
class Completed:
    """An object that has to be stored again, with its class."""

    plural: str
    item: Members


def placed_units(metadata: Metadata) -> Iterator[Completed]:
    """Yield the org units whose path or level is another by now."""
    for unit in metadata.all("organisationUnits"):
        ancestors = _ancestors(metadata, unit)
        place = {"path": "/" + "/".join(ancestors), "level": len(ancestors)}
        if unit.get("path") != place["path"]:
            yield Completed("organisationUnits", unit | place)


def _ancestors(metadata: Metadata, unit: Members) -> list[str]:
    line = [unit["id"]]
    parent = metadata.get("organisationUnits", (unit.get("parent") or {}).get("id"))
    while parent is not None and parent["id"] not in line:
        line.insert(0, parent["id"])
        parent = metadata.get("organisationUnits", (parent.get("parent") or {}).get("id"))
    return line


def completed_parents(metadata: Metadata, family: ChildList) -> Iterator[Completed]:
    """Yield the parents that lack a child, or list one that names another parent or is gone."""
    back = family.back or ""
    named: dict[str, list[Members]] = {}
    for child in metadata.all(family.children):
        named.setdefault((child.get(back) or {}).get("id", ""), []).append(child)
    orphans = {child["id"] for child in named.get("", [])}
    for parent in metadata.all(family.parents):
        mine = {child["id"] for child in named.get(parent["id"], [])}
        before = parent.get(family.member, [])
        listed = [{"id": item["id"]} for item in before if item["id"] in mine | orphans]
        missing = mine - {item["id"] for item in listed}
        added = sorted((c for c in named.get(parent["id"], []) if c["id"] in missing), key=_place)
        whole = listed + [{"id": child["id"]} for child in added]
        if whole != before:
            yield Completed(family.parents, parent | {family.member: whole})


def completed_children(metadata: Metadata, family: ChildList) -> Iterator[Completed]:
    """Yield the children that a parent lists and that name none."""
    back = family.back or ""
    for parent in metadata.all(family.parents):
        for reference in parent.get(family.member, []):
            child = metadata.get(family.children, reference["id"])
            if child is not None and not child.get(back):
                yield Completed(family.children, child | {back: {"id": parent["id"]}})


def placed_options(metadata: Metadata, first: int) -> Iterator[Completed]:
    """Count the options of each set, whatever was sent (recordings: 022)."""
    for option_set in metadata.all("optionSets"):
        for position, reference in enumerate(option_set.get("options", []), start=first):
            option = metadata.get("options", reference["id"])
            if option is not None and option.get("sortOrder") != position:
                yield Completed("options", option | {"sortOrder": position})


def named_attributes(metadata: Metadata) -> Iterator[Completed]:
    """Name the attributes of programs and types after both (recordings: 022)."""
    for plural, (member, back) in INNER_LISTS.items():
        for holder in metadata.all(plural) if back != "programStage" else ():
            named = [_named_attribute(metadata, holder, inner) for inner in holder.get(member, [])]
            if named != holder.get(member, []):
                yield Completed(plural, holder | {member: named})


def _named_attribute(metadata: Metadata, holder: Members, inner: Members) -> Members:
    uid = inner["trackedEntityAttribute"]["id"]
    attribute = metadata.get("trackedEntityAttributes", uid)
    if attribute is None:
        return inner
    name = f"{holder['name']} {attribute['name']}"
    # A type has no short name before 2.42, and Java writes that out.
    short = f"{holder.get('shortName', 'null')} {attribute.get('shortName', '')}"
    return inner | {
        "name": name,
        "displayName": name,
        "displayShortName": short,
        "valueType": attribute["valueType"],
    }


def _place(child: Members) -> int:
    return int(child.get("sortOrder") or 0)
