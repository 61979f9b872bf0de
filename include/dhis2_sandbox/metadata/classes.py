"""Which metadata classes are there, and how do they hang together?

A class is a row of classes.json; what only some versions have of it is in the row as well, and
schema.py reads it for one version.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias


#: Names by the versions that have them, e.g. {"always": "name", "from 42": "shortName"}.
ByVersion: TypeAlias = Mapping[str, str]
TABLE: Mapping[str, Any] = json.loads(
    (Path(__file__).parent / "classes.json").read_text(encoding="utf-8")
)


@dataclass(frozen=True, slots=True)
class MetadataClass:
    """One class of metadata.

    Attributes:
        klass: the Java name that import reports carry.
        references: member paths that name another object, with the class they name.
        unique: members of which no two objects may share a value (E5003).
        required: members without which an object is refused (E4000).
        properties: the members it has besides those of every class; None if it keeps what is sent.
        filled: what stands in a member that is not sent.
        defaults: members that name the server's default object of a class if nothing is sent.
        add: authorities to create, of which one is enough; the first one makes public objects.
        update: authorities that are enough to update besides those to create.
        delete: authorities to delete, of which one is enough.
        sharing: None, "metadata", or "data" if sharing says who may see and write data as well.
    """

    klass: str
    references: Mapping[str, str]
    unique: ByVersion
    required: ByVersion
    properties: ByVersion | None
    filled: Mapping[str, Any]
    defaults: Mapping[str, str]
    add: tuple[str, ...]
    update: tuple[str, ...]
    delete: tuple[str, ...]
    sharing: str | None

    @property
    def name(self) -> str:
        """The short Java name, e.g. DataElement."""
        return self.klass.rsplit(".", 1)[-1]

    @property
    def shared(self) -> bool:
        """Whether its objects carry sharing and an author."""
        return self.sharing is not None


def _class(row: Mapping[str, Any]) -> MetadataClass:
    return MetadataClass(
        klass=f"org.hisp.dhis.{row['klass']}",
        references=row.get("references", {}),
        unique=row.get("unique", {}),
        required=row.get("required", {}),
        properties=row["properties"],
        filled=row.get("filled", {}),
        defaults=row.get("defaults", {}),
        add=tuple(row.get("add", "").split()),
        update=tuple(row.get("update", "").split()),
        delete=tuple(row.get("delete", "").split()),
        sharing=row["sharing"],
    )


#: Every class by its plural, in the order in which an import takes them (metadata 2.2).
CLASSES: Mapping[str, MetadataClass] = {
    plural: _class(row) for plural, row in TABLE["classes"].items()
}

#: Lists inside an object that have identities of their own, with the member that points back.
INNER_LISTS: Mapping[str, tuple[str, str]] = {
    "programs": ("programTrackedEntityAttributes", "program"),
    "programStages": ("programStageDataElements", "programStage"),
    "trackedEntityTypes": ("trackedEntityTypeAttributes", "trackedEntityType"),
}


@dataclass(frozen=True, slots=True)
class ChildList:
    """A parent's list of objects of another class.

    Attributes:
        children: the class of the children.
        back: the child's member that names its parent, if it has one.
        parents: the class of the parents.
        member: the parent's list.
        orphans: what becomes of a child that an update takes out of the list (metadata 3):
            "stay", "unlinked" or "deleted".
    """

    children: str
    back: str | None
    parents: str
    member: str
    orphans: str


CHILD_LISTS: tuple[ChildList, ...] = (
    ChildList("organisationUnits", "parent", "organisationUnits", "children", "stay"),
    ChildList("options", "optionSet", "optionSets", "options", "unlinked"),
    ChildList("programStages", "program", "programs", "programStages", "unlinked"),
    ChildList("programSections", "program", "programs", "programSections", "unlinked"),
    ChildList(
        "programStageSections", "programStage", "programStages", "programStageSections", "deleted"
    ),
    ChildList("programRuleActions", "programRule", "programRules", "programRuleActions", "deleted"),
    ChildList("programNotificationTemplates", None, "programs", "notificationTemplates", "deleted"),
    ChildList(
        "programNotificationTemplates", None, "programStages", "notificationTemplates", "deleted"
    ),
)

#: Objects that are deleted with another one, by its class, with the member that names it.
PARTS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "programs": (
        ("programStages", "program"),
        ("programRules", "program"),
        ("programRuleVariables", "program"),
        ("programIndicators", "program"),
        ("programSections", "program"),
    ),
    "programStages": (("programStageSections", "programStage"),),
    "programRules": (("programRuleActions", "programRule"),),
    "optionSets": (("options", "optionSet"),),
}
