"""Can the server make sense of the members of a tracker object?

What it cannot bind refuses the request as a whole (recordings: 082, 090).
"""

from collections.abc import Mapping
from typing import Any, NoReturn, Self

from dhis2_sandbox.clock import Clock
from dhis2_sandbox.dialect import Dialect
from dhis2_sandbox.http.answers import Unreadable
from dhis2_sandbox.identifiers import is_uid
from dhis2_sandbox.imports.kinds import Kind
from dhis2_sandbox.metadata.store import Members


_STATUSES: Mapping[Kind, tuple[str, ...]] = {
    Kind.ENROLLMENT: ("ACTIVE", "COMPLETED", "CANCELLED"),
    Kind.EVENT: ("SKIPPED", "ACTIVE", "SCHEDULE", "VISITED", "COMPLETED", "OVERDUE"),
}
_DATES = (
    *("enrolledAt", "occurredAt", "scheduledAt", "completedAt"),
    *("createdAtClient", "updatedAtClient"),
)
_UIDS = ("trackedEntity", "enrollment", "event", "relationship")
_TEXTS = (
    *("trackedEntityType", "orgUnit", "program", "programStage", "relationshipType"),
    *("attributeOptionCombo", "status", "storedBy"),
)
_OBJECTS = ("geometry", "assignedUser", "from", "to")
#: Lists of small objects, whose members are all texts, numbers or booleans.
_PARTS = ("attributes", "dataValues", "notes")


#: Members of a part that come with an export and are ignored.
_SERVERS_OWN = frozenset({"createdBy", "updatedBy"})


class SentNumber(float):
    """A JSON number that is stored as the text that was sent."""

    text: str

    def __new__(cls, text: str) -> Self:
        """Keep the text beside the number."""
        number = super().__new__(cls, text)
        number.text = text
        return number


def text_of(value: Any) -> str | None:
    """Return a sent value as the text that is stored; null and "" are no value (measured)."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return str(value).lower()
    return value.text if isinstance(value, SentNumber) else str(value)


def bind(kind: Kind, item: Members, clock: Clock, dialect: Dialect) -> None:
    """Check UIDs and status of an object, and read its dates in place.

    Raises:
        Unreadable: as DHIS2 refuses a body that it cannot bind.
    """
    _bind_shapes(item)
    if dialect.malformed_uid_refuses_request:
        _bind_uids(item)
    status = item.get("status")
    if status is not None and kind in _STATUSES and status not in _STATUSES[kind]:
        choices = ", ".join(_STATUSES[kind])
        unreadable(f'Cannot deserialize status from "{status}": not one of [{choices}]')
    for member in _DATES:
        item[member] = _bound_date(item.get(member), clock)


def unreadable(problem: str) -> NoReturn:
    """Refuse a body.

    Raises:
        Unreadable: always.
    """
    raise Unreadable(400, f"JSON parse error: {problem}")


def _bind_uids(item: Members) -> None:
    for member in _UIDS:
        if item.get(member) is not None and not is_uid(item[member]):
            _refuse_uid(item[member])
    for note in item.get("notes") or []:
        if note.get("note") and not is_uid(note["note"]):
            _refuse_uid(note["note"])


def _bind_shapes(item: Members) -> None:
    """Check that texts, objects and lists are where they belong."""
    for member in _UIDS + _TEXTS:
        if isinstance(item.get(member), dict | list):
            unreadable(f"Cannot deserialize a text from the value of `{member}`")
    for member in _OBJECTS:
        if not isinstance(item.get(member), dict | None):
            unreadable(f"Cannot construct an object from the value of `{member}`")
    for member in _PARTS:
        parts = item.get(member)
        if not isinstance(parts, list | None):
            unreadable(f"Cannot deserialize a list from the value of `{member}`")
        if not all(_is_flat(part) for part in parts or []):
            unreadable(f"Cannot construct a member of `{member}`")


def _is_flat(part: Any) -> bool:
    """Tell whether this is an object of texts, numbers and booleans; a note names its author."""
    if not isinstance(part, dict):
        return False
    return not any(
        isinstance(value, dict | list) for name, value in part.items() if name not in _SERVERS_OWN
    )


def _bound_date(value: Any, clock: Clock) -> str | None:
    if value is None or value == "":
        return None
    try:
        return clock.local(value)
    except (ValueError, TypeError):
        unreadable("Cannot deserialize a date from the text sent")


def _refuse_uid(uid: object) -> NoReturn:
    unreadable(
        "Cannot construct instance of `org.hisp.dhis.common.UID`, problem: UID must be an "
        f"alphanumeric string of 11 characters starting with a letter, but was: {uid}"
    )
