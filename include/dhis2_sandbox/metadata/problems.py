"""How does a metadata import word its reasons?"""

from dataclasses import dataclass
from typing import Any

from dhis2_sandbox.metadata.classes import CLASSES
from dhis2_sandbox.metadata.store import Members


_MESSAGES = {
    "E3000": "User `{0}` is not allowed to create objects of type {1}.",
    "E3001": "User `{0}` is not allowed to update object `{1}`",
    "E3002": "User `{0}` is not allowed to delete object `{1}`",
    "E3008": "User `{0}` is not allowed to make public objects of type {1}.",
    "E3009": "User `{0}` is not allowed to make public nor private objects of type {1}.",
    "E3010": "Access string `{0}` is no sharing.",
    "E3011": "Data sharing is not enabled for objects of type `{0}`",
    "E4000": "Missing required property `{0}`",
    "E4001": "Maximum length of property `{0}` is {1}, but given length was {2}",
    "E4002": "Allowed length range for property `{0}` is [{1} to {2}], but given length was {3}",
    "E4014": "Invalid UID `{0}` for property `{1}`",
    "E4028": "Option set `{0}` already contains option `{1}`",
    "E4030": "Object could not be deleted because it is associated with another object: {0}",
    "E4051": "A program rule variable with name `{0}` and program uid `{1}` already exists",
    "E4053": "Program stage `{0}` must reference a program",
    "E4057": "Program rule `{0}` already exists in program `{1}`",
    "E5000": "Found matching object for given reference, but import mode is CREATE. "
    "Identifier was {0}, and object was {1}.",
    "E5001": "No matching object for given reference. Identifier was {0}, and object was {1}.",
    "E5002": "Invalid reference {0} on object {1} for association `{2}`",
    "E5003": "Property `{0}` with value `{1}` on object {2} already exists on object {3}",
    "E5004": "Id `{0}` for type `{1}` exists on more than one object in the payload, "
    "removing all but the first found",
    "E5007": "Duplicate reference {0} on object {1} for association `{2}`",
    "E5008": "No read access to {0} that object {1} names for association `{2}`",
}
#: Every code that an import of metadata may give.
CODES = frozenset(_MESSAGES)
#: The members of an error that only newer versions send (recordings: 018).
_ARGUMENTS_FROM = 41


@dataclass(frozen=True, slots=True)
class MetadataProblem:
    """One reason. `holder` is the object that is in the way, if another one is.

    `missing` is the UID that cannot be named, for atomicMode NONE to leave out.
    """

    code: str
    arguments: tuple[Any, ...]
    member: str | None = None
    holder: str | None = None
    missing: tuple[str, str] | None = None

    @property
    def message(self) -> str:
        """The reason in the server's words."""
        return _MESSAGES[self.code].format(*self.arguments)

    def as_report(self, plural: str, minor: int) -> Members:
        """Return the reason as an errorReport."""
        report: Members = {
            "message": self.message,
            "mainKlass": CLASSES[plural].klass,
            "errorCode": self.code,
            "errorProperties": list(self.arguments),
        }
        if minor >= _ARGUMENTS_FROM:
            report["args"] = [str(argument) for argument in self.arguments]
        if self.holder is not None:
            report["mainId"] = self.holder
        if self.member is not None:
            report["errorProperty"] = self.member
        return report
