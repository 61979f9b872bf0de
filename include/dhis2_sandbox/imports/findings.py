"""Which refusals and warnings does a tracker import know, and how does it word them?

The codes and texts are those of the recordings, and of tracker-api 5 where none was recorded.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from dhis2_sandbox.imports.kinds import Kind
from dhis2_sandbox.metadata.store import Members


#: Findings that do not keep an object from being stored.
_WARNINGS = frozenset({"E1119", "E1120", "E4015"})

_MESSAGES: Mapping[str, str] = {
    "E1000": "User: `{0}` has no write access to OrganisationUnit: `{1}`.",
    "E1001": "User: `{0}` has no data write access to TrackedEntityType: `{1}`.",
    "E1002": "TrackedEntity: `{0}`, already exists.",
    "E1003": "User: `{0}` has no write access to TrackedEntity: `{1}`.",
    "E1005": "Could not find TrackedEntityType: `{0}`.",
    "E1006": "Attribute: `{0}` does not exist.",
    "E1007": "Error validating attribute value type: `{0}`; Error: `{1}`.",
    "E1009": "File resource: `{0}`, has already been assigned to a different object.",
    "E1010": "Could not find Program: `{0}`, linked to Event.",
    "E1011": "Could not find OrganisationUnit: `{0}`, linked to Event.",
    "E1012": "Geometry does not conform to FeatureType: `{0}`.",
    "E1013": "Could not find ProgramStage: `{0}`, linked to Event.",
    "E1014": "Provided Program: `{0}`, is a Program without registration. "
    "An Enrollment cannot be created into Program without registration.",
    "E1015": "TrackedEntity: `{0}` already has an active Enrollment in Program `{1}`.",
    "E1016": "TrackedEntity: `{0}` already has an Enrollment in Program: `{1}`, "
    "and this Program only allows enrolling once.",
    "E1018": "Attribute: `{0}` is mandatory in Program `{1}` but not declared in Enrollment `{2}`.",
    "E1019": "Only ProgramAttributes are allowed for Enrollment, invalid Attribute: `{0}`.",
    "E1020": "Enrollment date: `{0}`, cannot be a future date.",
    "E1021": "Incident date: `{0}`, cannot be a future date.",
    "E1022": "TrackedEntity: `{0}`, must have same TrackedEntityType as Program `{1}`.",
    "E1023": "DisplayIncidentDate is true but property occurredAt is null.",
    "E1025": "Property enrolledAt is null.",
    "E1029": "Event OrganisationUnit: `{0}` and Program: `{1}`, do not match.",
    "E1030": "Event: `{0}` already exists.",
    "E1031": "Event occurredAt date is missing.",
    "E1032": "Event: `{0}` does not exist.",
    "E1033": "Event: `{0}` Enrollment value is null.",
    "E1039": "ProgramStage: `{0}` is not repeatable and an Event already exists.",
    "E1041": "Enrollment OrganisationUnit: `{0}` and Program: `{1}` do not match.",
    "E1043": "Event: `{0}` completeness date has expired. "
    "Not possible to make changes to this Event.",
    "E1046": "Event: `{0}` needs to have at least one (event or schedule) date.",
    "E1047": "Event: `{0}` date belongs to an expired period, not possible to create Event.",
    "E1048": "Object: `{0}`, uid: `{1}`, has an invalid uid format.",
    "E1049": "Could not find OrganisationUnit: `{0}` linked to TrackedEntity.",
    "E1050": "Event scheduledAt date is missing.",
    "E1051": "Event: `{0}` completedAt must be null when status is `{1}`.",
    "E1052": "Enrollment: `{0}` completedAt must be null when status is `{1}`.",
    "E1063": "TrackedEntity: `{0}`, does not exist.",
    "E1064": "Non-unique attribute value `{0}` for attribute `{1}`.",
    "E1068": "Could not find TrackedEntity: `{0}` linked to Enrollment.",
    "E1069": "Could not find Program: `{0}` linked to Enrollment.",
    "E1070": "Could not find OrganisationUnit: `{0}` linked to Enrollment.",
    "E1074": "FeatureType is missing.",
    "E1075": "Attribute: `{0}` is missing uid.",
    "E1076": "`{0}` `{1}` is mandatory and cannot be null",
    "E1077": "Attribute: `{0}` text value exceeds the maximum allowed length: `{1}`.",
    "E1079": "Event: `{0}`, program: `{1}` is different from program defined in enrollment `{2}`.",
    "E1080": "Enrollment: `{0}`, already exists.",
    "E1081": "Enrollment: `{0}`, does not exist.",
    "E1082": "Event: `{0}`, is already deleted and cannot be modified.",
    "E1083": "User: `{0}`, is not authorized to modify completed events.",
    "E1084": "File resource: `{0}`, reference could not be found.",
    "E1085": "Attribute: `{0}`, value does not match value type: `{1}`.",
    "E1089": "Event: `{0}` references ProgramStage `{1}` that does not belong to Program `{2}`.",
    "E1090": "Attribute: `{0}` is mandatory in TrackedEntityType `{1}` "
    "but not declared in TrackedEntity `{2}`.",
    "E1091": "User: `{0}` has no data write access to Program: `{1}`.",
    "E1095": "User: `{0}` has no data write access to ProgramStage: `{1}`.",
    "E1096": "User: `{0}` has no data read access to Program: `{1}`.",
    "E1100": "User: `{0}` lacks F_TEI_CASCADE_DELETE authority to delete TrackedEntity: `{1}`.",
    "E1102": "User: `{0}` does not have access to the TrackedEntity: `{1}` and Program: `{2}`.",
    "E1103": "User: `{0}` lacks F_ENROLLMENT_CASCADE_DELETE authority to delete Enrollment: `{1}`.",
    "E1104": "User: `{0}` has no data read access to Program: `{1}` TrackedEntityType: `{2}`.",
    "E1113": "Enrollment: `{0}` is already deleted and cannot be modified.",
    "E1114": "TrackedEntity: `{0}` is already deleted and cannot be modified.",
    "E1115": "Could not find CategoryOptionCombo: `{0}`.",
    "E1118": "Assigned User `{0}` is not valid.",
    "E1119": "A Note with UID `{0}` already exists.",
    "E1120": "ProgramStage `{0}` does not allow user assignment.",
    "E1121": "Missing required trackedEntity property: `{0}`.",
    "E1122": "Missing required enrollment property: `{0}`.",
    "E1123": "Missing required event property: `{0}`.",
    "E1124": "Missing required relationship property: `{0}`.",
    "E1125": "Value `{0}` is not a valid option code in OptionSet `{1}`.",
    "E1126": "Not allowed to update trackedEntity property: {0}.",
    "E1127": "Not allowed to update enrollment property: {0}.",
    "E1128": "Not allowed to update event property: {0}.",
    "E1302": "DataElement `{0}` is not valid: `{1}`.",
    "E1303": "Mandatory DataElement `{0}` is not present.",
    "E1304": "DataElement `{0}` is not a valid DataElement.",
    "E1305": "DataElement `{0}` is not part of ProgramStage `{1}`.",
    "E1313": "Event `{0}` of an Enrollment does not reference a TrackedEntity.",
    "E1315": "Status `{0}` does not allow creating data values, "
    "allow statuses: [COMPLETED, VISITED, ACTIVE].",
    "E1316": "Event cannot transition from status `{0}` to status `{1}`.",
    "E1324": "User `{0}` has no ownership access to any program "
    "for the provided TrackedEntity: `{1}`.",
    "E1326": "Event `{0}` is completed and its ProgramStage blocks the entry form "
    "after completion. Reopen the Event before updating.",
    "E4000": "Relationship: `{0}` cannot link to itself.",
    "E4001": "Relationship Item `{0}` for Relationship `{1}` is invalid: "
    "an Item can link only one Tracker entity.",
    "E4006": "Could not find RelationshipType: `{0}`.",
    "E4010": "RelationshipType `{0}` constraint requires a {1} but a {2} was found.",
    "E4012": "Could not find `{0}`: `{1}`, linked to relationship.",
    "E4014": "RelationshipType `{0}` constraint requires TrackedEntity having "
    "TrackedEntityType `{1}` but `{2}` was found.",
    "E4015": "Relationship: `{0}` already exists.",
    "E4016": "Relationship: `{0}` does not exist.",
    "E4017": "Relationship: `{0}` is already deleted and cannot be modified.",
    "E4018": "Relationship: `{0}` linking {1}: `{2}` to {3}: `{4}` already exists.",
    "E4020": "User: `{0}` has no data write access to RelationshipType: `{1}`.",
    "E5000": "{0} `{1}` cannot be {4} because {2} `{3}` referenced by it could not be {4}.",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found about one object."""

    code: str
    kind: Kind
    uid: str
    arguments: tuple[str, ...] = ()

    @property
    def refuses(self) -> bool:
        """Whether the object is not stored because of this."""
        return self.code not in _WARNINGS

    def as_report(self) -> Members:
        """Return the finding as an errorReport or a warningReport."""
        report: Members = {"message": _MESSAGES[self.code].format(*self.arguments)}
        if self.refuses:
            report["errorCode"] = self.code
        report |= {"trackerType": str(self.kind), "uid": self.uid}
        if self.refuses:
            report["args"] = list(self.arguments)
        else:
            report["warningCode"] = self.code
        return report
