"""By what is one object judged that wants in?"""

from dataclasses import dataclass

from dhis2_sandbox.access.rights import Rights
from dhis2_sandbox.metadata.classes import CLASSES, MetadataClass
from dhis2_sandbox.metadata.data_use import DataUse
from dhis2_sandbox.metadata.payload import Payload
from dhis2_sandbox.metadata.schema import Schema
from dhis2_sandbox.metadata.store import Members, Metadata


@dataclass(frozen=True, slots=True)
class MetadataOptions:
    """How a payload is to be taken; an unknown word is the default (measured)."""

    validate_only: bool = False
    atomic: bool = True
    strategy: str = "CREATE_AND_UPDATE"
    skip_sharing: bool = False
    full_report: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """One object that wants in, and everything it is judged by."""

    plural: str
    item: Members
    payload: Payload
    rights: Rights
    options: MetadataOptions
    schema: Schema
    data: DataUse

    @property
    def uid(self) -> str:
        """The object's UID."""
        return str(self.item["id"])

    @property
    def kind(self) -> MetadataClass:
        """The object's class."""
        return CLASSES[self.plural]

    @property
    def metadata(self) -> Metadata:
        """What is stored."""
        return self.payload.metadata

    @property
    def name(self) -> str:
        """The object as messages name it, e.g. `Weight [ol1WpmrN6NG] (DataElement)`."""
        label = self.item.get("name") or self.item.get("username") or ""
        return f"{label} [{self.uid}] ({self.kind.name})"

    @property
    def user(self) -> str:
        """The account as messages name it."""
        account = self.metadata.get("users", self.rights.uid)
        if account is None:
            return f"{self.rights.username} [{self.rights.uid}] (User)"
        return f"{account['firstName']} {account['surname']} [{self.rights.uid}] (User)"

    @property
    def stored(self) -> Members | None:
        """The object as it is stored."""
        return self.metadata.get(self.plural, self.item.get("id"))

    @property
    def deletes(self) -> bool:
        """Whether the object is to go."""
        return self.options.strategy == "DELETE"
