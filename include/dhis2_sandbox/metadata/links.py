"""Which members of metadata follow from other objects?

Paths and levels of org units, and the lists in which children appear.
"""

import sqlite3
from collections.abc import Iterator

from dhis2_sandbox.metadata.classes import CHILD_LISTS, INNER_LISTS
from dhis2_sandbox.metadata.store import Members, Metadata, MetadataStore


def relink(store: MetadataStore, connection: sqlite3.Connection) -> None:
    """Bring what follows from other objects up to date, inside the same transaction."""
    metadata = store.current()
    store.put(connection, "organisationUnits", _placed_units(metadata))
    for children, back, parents, member in CHILD_LISTS:
        link = (children, back, parents, member)
        store.put(connection, parents, _completed_parents(metadata, *link))
        store.put(connection, children, _completed_children(metadata, *link))
    store.refresh()
    store.put(connection, "options", _placed_options(store.current()))
    for plural, (member, back) in INNER_LISTS.items():
        if back != "programStage":
            store.put(connection, plural, _named_attributes(store.current(), plural, member))
    store.refresh()


def _placed_units(metadata: Metadata) -> Iterator[Members]:
    for unit in metadata.all("organisationUnits"):
        ancestors = _ancestors(metadata, unit)
        place = {"path": "/" + "/".join(ancestors), "level": len(ancestors)}
        if unit.get("path") != place["path"]:
            yield unit | place


def _ancestors(metadata: Metadata, unit: Members) -> list[str]:
    line = [unit["id"]]
    parent = metadata.get("organisationUnits", (unit.get("parent") or {}).get("id"))
    while parent is not None and parent["id"] not in line:
        line.insert(0, parent["id"])
        parent = metadata.get("organisationUnits", (parent.get("parent") or {}).get("id"))
    return line


def _completed_parents(
    metadata: Metadata, children: str, back: str, parents: str, member: str
) -> Iterator[Members]:
    """List every child that names the parent, and none that names another one."""
    named: dict[str, list[Members]] = {}
    for child in metadata.all(children):
        named.setdefault((child.get(back) or {}).get("id", ""), []).append(child)
    orphans = {child["id"] for child in named.get("", [])}
    for parent in metadata.all(parents):
        mine = {child["id"] for child in named.get(parent["id"], [])}
        listed = [item for item in parent.get(member, []) if item["id"] in mine | orphans]
        missing = mine - {item["id"] for item in listed}
        added = sorted((c for c in named.get(parent["id"], []) if c["id"] in missing), key=_place)
        whole = listed + [{"id": child["id"]} for child in added]
        if whole != parent.get(member, []):
            yield parent | {member: whole}


def _completed_children(
    metadata: Metadata, children: str, back: str, parents: str, member: str
) -> Iterator[Members]:
    for parent in metadata.all(parents):
        for reference in parent.get(member, []):
            child = metadata.get(children, reference["id"])
            if child is not None and not child.get(back):
                yield child | {back: {"id": parent["id"]}}


def _placed_options(metadata: Metadata) -> Iterator[Members]:
    """Count the options of each set from 0, whatever was sent (recordings: 022)."""
    for option_set in metadata.all("optionSets"):
        for position, reference in enumerate(option_set.get("options", [])):
            option = metadata.get("options", reference["id"])
            if option is not None and option.get("sortOrder") != position:
                yield option | {"sortOrder": position}


def _named_attributes(metadata: Metadata, plural: str, member: str) -> Iterator[Members]:
    """Name the attributes of programs and types after both (recordings: 022)."""
    for holder in metadata.all(plural):
        named = [_named_attribute(metadata, holder, inner) for inner in holder.get(member, [])]
        if named != holder.get(member, []):
            yield holder | {member: named}


def _named_attribute(metadata: Metadata, holder: Members, inner: Members) -> Members:
    uid = inner["trackedEntityAttribute"]["id"]
    attribute = metadata.get("trackedEntityAttributes", uid)
    if attribute is None:
        return inner
    name = f"{holder['name']} {attribute['name']}"
    short = f"{holder.get('shortName', '')} {attribute.get('shortName', '')}"
    return inner | {
        "name": name,
        "displayName": name,
        "displayShortName": short,
        "valueType": attribute["valueType"],
    }


def _place(child: Members) -> int:
    return int(child.get("sortOrder") or 0)
