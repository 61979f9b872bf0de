"""How does a metadata import word its reasons?"""

from dataclasses import dataclass
from typing import Any

from dhis2_sandbox.metadata.classes import CLASSES
from dhis2_sandbox.metadata.store import Members


_MESSAGES = {
    "E3000": "User `{0}` is not allowed to create objects of type {1}.",
    "E3001": "User `{0}` is not allowed to update object `{1}`",
    "E4000": "Missing required property `{0}`",
    "E4002": "Allowed length range for property `{0}` is [{1} to {2}], but given length was {3}",
    "E4014": "Invalid UID `{0}` for property `{1}`",
    "E5000": "Found matching object for given reference, but import mode is CREATE. "
    "Identifier was {0}, and object was {1}.",
    "E5001": "No matching object for given reference. Identifier was {0}, and object was {1}.",
    "E5002": "Invalid reference {0} on object {1} for association `{2}`",
    "E5003": "Property `{0}` with value `{1}` on object {2} already exists on object {3}",
    "E5004": "Id `{0}` for type `{1}` exists on more than one object in the payload, "
    "removing all but the first found",
}


@dataclass(frozen=True, slots=True)
class MetadataProblem:
    """One reason. `holder` is the object that is in the way, if another one is."""

    code: str
    arguments: tuple[Any, ...]
    member: str | None = None
    holder: str | None = None

    def as_report(self, plural: str) -> Members:
        """Return the reason as an errorReport."""
        report: Members = {
            "message": _MESSAGES[self.code].format(*self.arguments),
            "mainKlass": CLASSES[plural].klass,
            "errorCode": self.code,
            "errorProperties": list(self.arguments),
            "args": [str(argument) for argument in self.arguments],
        }
        if self.holder is not None:
            report["mainId"] = self.holder
        if self.member is not None:
            report["errorProperty"] = self.member
        return report
