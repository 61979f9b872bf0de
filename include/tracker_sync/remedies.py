"""The remedies: what a person does about each code, and whether time may do it.

Codes beginning with E are DHIS2's (tracker-api 5), the others are ours.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Remedy:
    """What to do about a refusal.

    Attributes:
        meaning: What the code says, without any value.
        do: What a person does.
        heals: Whether the destination may accept the same content later, so that it is
            sent again by every run; else only when content or metadata changed.
    """

    meaning: str
    do: str
    heals: bool = False


_AT_SOURCE = "correct the record at the source; the next run sends it again"
_METADATA = "bring the metadata of both servers together; the next run sends it again"
_RIGHTS = "give the destination account what it lacks; the next run sends it again"

REMEDIES: dict[str, Remedy] = {
    "E1000": Remedy("org unit outside the account's capture scope", _RIGHTS, heals=True),
    "E1001": Remedy("no right to write this tracked entity type", _RIGHTS, heals=True),
    "E1003": Remedy("org unit outside the account's search scope", _RIGHTS, heals=True),
    "E1005": Remedy("tracked entity type unknown at the destination", _METADATA),
    "E1006": Remedy("attribute unknown at the destination", _METADATA),
    "E1007": Remedy("an attribute value does not fit its value type", _AT_SOURCE),
    "E1010": Remedy("program unknown at the destination", _METADATA),
    "E1011": Remedy("org unit of the event unknown at the destination", _METADATA),
    "E1012": Remedy("the geometry is not of the kind the destination expects", _METADATA),
    "E1013": Remedy("program stage unknown at the destination", _METADATA),
    "E1015": Remedy(
        "the person has another active enrollment in the program at the destination",
        "complete or cancel one of the two; the next run sends it again",
        heals=True,
    ),
    "E1016": Remedy(
        "the program allows one enrollment and the destination holds another",
        "decide which enrollment is right and remove the other",
        heals=True,
    ),
    "E1018": Remedy("a mandatory program attribute is empty", _AT_SOURCE),
    "E1019": Remedy("an attribute is not the program's at the destination", _METADATA),
    "E1020": Remedy("the enrollment date lies in the future", "wait for the day", heals=True),
    "E1021": Remedy("the incident date lies in the future", "wait for the day", heals=True),
    "E1022": Remedy("the person's type is not the program's", _METADATA),
    "E1023": Remedy("the incident date is needed", _AT_SOURCE),
    "E1025": Remedy("the enrollment date is needed", _AT_SOURCE),
    "E1029": Remedy("the event's org unit is not assigned to the program", _METADATA),
    "E1031": Remedy("the event's date is needed", _AT_SOURCE),
    "E1033": Remedy("the event names no enrollment", _AT_SOURCE),
    "E1039": Remedy(
        "the stage is not repeatable and the destination holds another event of it",
        "decide which event is right and remove the other",
        heals=True,
    ),
    "E1041": Remedy("the enrollment's org unit is not assigned to the program", _METADATA),
    "E1042": Remedy("a completed event without its stamp of completion", _AT_SOURCE),
    "E1043": Remedy(
        "the event was completed too long ago for the program",
        "raise the program's completeEventsExpiryDays at the destination for the load",
        heals=True,
    ),
    "E1046": Remedy("the event has neither a date nor a planned date", _AT_SOURCE),
    "E1047": Remedy(
        "the event's period is closed for the program",
        "raise the program's expiryDays at the destination for the load",
        heals=True,
    ),
    "E1049": Remedy("org unit of the person unknown at the destination", _METADATA),
    "E1050": Remedy("the event's planned date is needed", _AT_SOURCE),
    "E1051": Remedy("a stamp of completion on an event that is not completed", _AT_SOURCE),
    "E1052": Remedy("a stamp of completion on an enrollment that is open", _AT_SOURCE),
    "E1056": Remedy("the event is older than its category option", _METADATA),
    "E1057": Remedy("the event is younger than its category option", _METADATA),
    "E1064": Remedy(
        "another person at the destination holds this unique value",
        "find the two people: a duplicate is merged, an error corrected at the source",
        heals=True,
    ),
    "E1068": Remedy("the enrollment's person is not at the destination", _AT_SOURCE, heals=True),
    "E1069": Remedy("program of the enrollment unknown at the destination", _METADATA),
    "E1070": Remedy("org unit of the enrollment unknown at the destination", _METADATA),
    "E1074": Remedy("the destination expects no geometry here", _METADATA),
    "E1076": Remedy("a mandatory attribute is empty", _AT_SOURCE),
    "E1077": Remedy("an attribute value is longer than 1,200 characters", _AT_SOURCE),
    "E1079": Remedy("the event's program is not its enrollment's", _AT_SOURCE),
    "E1081": Remedy("the event's enrollment is not at the destination", _AT_SOURCE, heals=True),
    "E1082": Remedy(
        "the event was deleted at the destination, and its UID is used up",
        "have an administrator purge soft-deleted events there, or leave it deleted",
    ),
    "E1083": Remedy("no right to reopen a completed event", _RIGHTS, heals=True),
    "E1084": Remedy(
        "a file the event names is not at the destination",
        "this release copies no files: upload it at the destination by hand, or wait",
        heals=True,
    ),
    "E1085": Remedy("an attribute value does not fit its value type", _AT_SOURCE),
    "E1089": Remedy("the event's stage is not in its program", _METADATA),
    "E1090": Remedy("a mandatory attribute of the type is empty", _AT_SOURCE),
    "E1091": Remedy("no right to write data of the program", _RIGHTS, heals=True),
    "E1095": Remedy("no right to write data of the stage", _RIGHTS, heals=True),
    "E1096": Remedy("no right to read data of the program", _RIGHTS, heals=True),
    "E1099": Remedy("no right to write with a category option", _RIGHTS, heals=True),
    "E1102": Remedy(
        "the person is owned by an org unit the account may not reach", _RIGHTS, heals=True
    ),
    "E1113": Remedy(
        "the enrollment was deleted at the destination, and its UID is used up",
        "have an administrator purge soft-deleted enrollments there, or leave it deleted",
    ),
    "E1114": Remedy(
        "the person was deleted at the destination, and the UID is used up",
        "have an administrator purge soft-deleted tracked entities there, or leave it deleted",
    ),
    "E1115": Remedy("the attribute option combo is unknown at the destination", _METADATA),
    "E1116": Remedy("a category option is unknown at the destination", _METADATA),
    "E1117": Remedy("the attribute option combo is unknown at the destination", _METADATA),
    "E1118": Remedy(
        "the assigned user is unknown at the destination",
        "create the user there under the same name, or unassign the event at the source",
        heals=True,
    ),
    "E1121": Remedy("a needed property of the person is missing", _AT_SOURCE),
    "E1122": Remedy("a needed property of the enrollment is missing", _AT_SOURCE),
    "E1123": Remedy("a needed property of the event is missing", _AT_SOURCE),
    "E1125": Remedy(
        "a value is no code of its option set at the destination",
        "add the option on both servers, or correct the record at the source",
    ),
    "E1126": Remedy("the UID belongs to a person of another type at the destination", _AT_SOURCE),
    "E1127": Remedy("the UID belongs to another person's enrollment", _AT_SOURCE),
    "E1128": Remedy("the UID belongs to an event of another stage or enrollment", _AT_SOURCE),
    "E1302": Remedy("a data value does not fit its value type", _AT_SOURCE),
    "E1303": Remedy("a compulsory data element is empty", _AT_SOURCE),
    "E1304": Remedy("a data element is unknown at the destination", _METADATA),
    "E1305": Remedy("a data element is not in the stage at the destination", _METADATA),
    "E1313": Remedy("the event's enrollment has no person", _AT_SOURCE, heals=True),
    "E1315": Remedy("an event that did not take place holds values", _AT_SOURCE),
    "E1316": Remedy("an event that took place was set back to scheduled", _AT_SOURCE),
    "E1318": Remedy("an event without registration can't have this status there", _AT_SOURCE),
    "E1326": Remedy(
        "the event is completed there, in a stage that takes no changes after that",
        "reopen the event at the destination, or lift the stage's blockEntryForm for the load",
        heals=True,
    ),
    "E5000": Remedy("what it belongs to was refused", "see the refusal of its parent", heals=True),
    "SYNC_DELETE_HELD": Remedy(
        "deleted at the source; this release does not delete at the destination",
        "delete it at the destination by hand if it must go there too",
    ),
    "SYNC_NOT_RETURNED": Remedy(
        "the source listed it, and then did not return it, asked twice",
        "check that the source account may read it: sharing, org units, ownership",
    ),
    "SYNC_ENROLLMENT_NOT_RETURNED": Remedy(
        "listed in a program, read without an enrollment in it",
        "check that the source account may read the program's data: lost rights look like this",
    ),
    "SYNC_NOT_IN_REPORT": Remedy(
        "the destination named it neither stored nor refused, and does not hold it",
        "see the destination's log at the time of the load; clear the slice's `load`",
    ),
    "SYNC_STORED_AND_NOT_THERE": Remedy(
        "the destination called it stored, and does not return it",
        "check that the destination account may read what it writes: sharing, org units, ownership",
    ),
    "SYNC_REQUEST_REFUSED": Remedy(
        "the destination refuses the whole request as soon as this object is in it",
        "look at the object at the source for what no database holds, e.g. a NUL character",
        heals=True,
    ),
    "SYNC_GONE_AT_SOURCE": Remedy(
        "refused earlier, and the source does not return it any more: purged, or out of reach",
        "nothing, if it was purged; else give the source account the right to read it",
    ),
    "SYNC_NO_LEDGER": Remedy(
        "its slice never reported", "see the log of the slice's failed task, then clear it"
    ),
}

_UNKNOWN = Remedy("refused by the destination", "look the code up in the documentation of DHIS2")


def remedy_for(code: str | None) -> Remedy:
    """Return what to do about a code."""
    return REMEDIES.get(code or "", _UNKNOWN)


def can_heal(code: str) -> bool:
    """Whether the same content may be accepted later; so it is for a code nobody knows."""
    known = REMEDIES.get(code)
    return known is None or known.heals
