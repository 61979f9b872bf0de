"""Which metadata classes are there, and how do they hang together?"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MetadataClass:
    """One class of metadata.

    Attributes:
        klass: the Java name that import reports carry.
        references: member paths that name another object, with the class they name.
        unique: members of which no two objects may share a value (E5003).
        required: members without which an object is refused (E4000).
        shared: objects carry sharing and an author.
    """

    klass: str
    references: Mapping[str, str]
    unique: tuple[str, ...] = ("code",)
    required: tuple[str, ...] = ("name",)
    shared: bool = True

    @property
    def name(self) -> str:
        """The short Java name, e.g. DataElement."""
        return self.klass.rsplit(".", 1)[-1]


_TYPE = "trackedEntityType"
_ATTRIBUTE = "trackedEntityAttribute"
_NAMES = ("name", "shortName", "code")
_CONSTRAINT = {
    f"{side}Constraint.{member}": target
    for side in ("from", "to")
    for member, target in (
        (_TYPE, "trackedEntityTypes"),
        ("program", "programs"),
        ("programStage", "programStages"),
    )
}
_USER_ORG_UNITS = dict.fromkeys(
    ("organisationUnits", "teiSearchOrganisationUnits", "dataViewOrganisationUnits"),
    "organisationUnits",
)

CLASSES: Mapping[str, MetadataClass] = {
    "categoryOptions": MetadataClass("org.hisp.dhis.category.CategoryOption", {}, _NAMES),
    "categories": MetadataClass(
        "org.hisp.dhis.category.Category", {"categoryOptions": "categoryOptions"}, _NAMES
    ),
    "categoryCombos": MetadataClass(
        "org.hisp.dhis.category.CategoryCombo", {"categories": "categories"}, ("name", "code")
    ),
    "categoryOptionCombos": MetadataClass(
        "org.hisp.dhis.category.CategoryOptionCombo",
        {"categoryCombo": "categoryCombos", "categoryOptions": "categoryOptions"},
        shared=False,
    ),
    "organisationUnits": MetadataClass(
        "org.hisp.dhis.organisationunit.OrganisationUnit",
        {"parent": "organisationUnits"},
        required=("name", "shortName", "openingDate"),
    ),
    "optionSets": MetadataClass(
        "org.hisp.dhis.option.OptionSet",
        {"options": "options"},
        ("name", "code"),
    ),
    "options": MetadataClass(
        "org.hisp.dhis.option.Option",
        {"optionSet": "optionSets"},
        (),
        ("name", "code"),
        shared=False,
    ),
    "trackedEntityAttributes": MetadataClass(
        "org.hisp.dhis.trackedentity.TrackedEntityAttribute",
        {"optionSet": "optionSets"},
        _NAMES,
        ("name", "shortName", "valueType", "aggregationType"),
    ),
    "dataElements": MetadataClass(
        "org.hisp.dhis.dataelement.DataElement",
        {"optionSet": "optionSets", "categoryCombo": "categoryCombos"},
        _NAMES,
        ("name", "shortName", "valueType", "domainType", "aggregationType"),
    ),
    "trackedEntityTypes": MetadataClass(
        "org.hisp.dhis.trackedentity.TrackedEntityType",
        {f"{_TYPE}Attributes.{_ATTRIBUTE}": "trackedEntityAttributes"},
        ("name", "code"),
    ),
    "programs": MetadataClass(
        "org.hisp.dhis.program.Program",
        {
            _TYPE: "trackedEntityTypes",
            "categoryCombo": "categoryCombos",
            "organisationUnits": "organisationUnits",
            "programStages": "programStages",
            f"programTrackedEntityAttributes.{_ATTRIBUTE}": "trackedEntityAttributes",
        },
        ("name", "code"),
        ("name", "shortName", "programType"),
    ),
    "programStages": MetadataClass(
        "org.hisp.dhis.program.ProgramStage",
        {
            "program": "programs",
            "programStageDataElements.dataElement": "dataElements",
        },
        (),
    ),
    "programRules": MetadataClass(
        "org.hisp.dhis.programrule.ProgramRule",
        {"program": "programs", "programRuleActions": "programRuleActions"},
        (),
        shared=False,
    ),
    "programRuleVariables": MetadataClass(
        "org.hisp.dhis.programrule.ProgramRuleVariable",
        {
            "program": "programs",
            "dataElement": "dataElements",
            _ATTRIBUTE: "trackedEntityAttributes",
        },
        (),
        shared=False,
    ),
    "programRuleActions": MetadataClass(
        "org.hisp.dhis.programrule.ProgramRuleAction",
        {
            "programRule": "programRules",
            "dataElement": "dataElements",
            _ATTRIBUTE: "trackedEntityAttributes",
        },
        (),
        (),
        shared=False,
    ),
    "relationshipTypes": MetadataClass(
        "org.hisp.dhis.relationship.RelationshipType",
        _CONSTRAINT,
        ("name", "code"),
    ),
    "userRoles": MetadataClass("org.hisp.dhis.user.UserRole", {}, ("name", "code")),
    "userGroups": MetadataClass(
        "org.hisp.dhis.user.UserGroup", {"users": "users"}, ("name", "code")
    ),
    "users": MetadataClass(
        "org.hisp.dhis.user.User",
        {"userRoles": "userRoles"} | _USER_ORG_UNITS,
        ("username",),
        ("username", "firstName", "surname"),
        shared=False,
    ),
}

#: Lists inside an object that have identities of their own, with the member that points back.
INNER_LISTS: Mapping[str, tuple[str, str]] = {
    "programs": ("programTrackedEntityAttributes", "program"),
    "programStages": ("programStageDataElements", "programStage"),
    "trackedEntityTypes": ("trackedEntityTypeAttributes", "trackedEntityType"),
}

#: A child's member that names its parent, and the parent's list that the child then appears in.
CHILD_LISTS: tuple[tuple[str, str, str, str], ...] = (
    ("organisationUnits", "parent", "organisationUnits", "children"),
    ("options", "optionSet", "optionSets", "options"),
    ("programStages", "program", "programs", "programStages"),
    ("programRuleActions", "programRule", "programRules", "programRuleActions"),
)
