"""What does the metadata say about the data that may be stored?"""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from dhis2_sandbox.identifiers import uid_derived_from
from dhis2_sandbox.metadata.defaults import defaults_of
from dhis2_sandbox.metadata.store import Members, Metadata


class Model:
    """One state of the metadata, arranged for checking and showing tracker data."""

    def __init__(self, metadata: Metadata) -> None:
        """Arrange nothing yet: each part is arranged when it is first asked for."""
        self.metadata = metadata

    def attribute(self, uid: str | None) -> Members | None:
        """Return a tracked entity attribute."""
        return self.metadata.get("trackedEntityAttributes", uid)

    def element(self, uid: str | None) -> Members | None:
        """Return a data element."""
        return self.metadata.get("dataElements", uid)

    def program(self, uid: str | None) -> Members | None:
        """Return a program."""
        return self.metadata.get("programs", uid)

    def stage(self, uid: str | None) -> Members | None:
        """Return a program stage."""
        return self.metadata.get("programStages", uid)

    def entity_type(self, uid: str | None) -> Members | None:
        """Return a tracked entity type."""
        return self.metadata.get("trackedEntityTypes", uid)

    def path(self, org_unit: str | None) -> str | None:
        """Return the path of an org unit, or None if there is no such unit."""
        unit = self.metadata.get("organisationUnits", org_unit)
        return None if unit is None else str(unit["path"])

    @cached_property
    def program_attributes(self) -> Mapping[str, Mapping[str, bool]]:
        """Per program: its attributes, and whether each is mandatory."""
        return self._inner("programs", "programTrackedEntityAttributes", "trackedEntityAttribute")

    @cached_property
    def type_attributes(self) -> Mapping[str, Mapping[str, bool]]:
        """Per tracked entity type: its attributes, and whether each is mandatory."""
        members = "trackedEntityTypeAttributes"
        return self._inner("trackedEntityTypes", members, "trackedEntityAttribute")

    @cached_property
    def stage_elements(self) -> Mapping[str, Mapping[str, bool]]:
        """Per program stage: its data elements, and whether each is compulsory."""
        return self._inner("programStages", "programStageDataElements", "dataElement")

    @cached_property
    def program_org_units(self) -> Mapping[str, frozenset[str]]:
        """Per program: the org units it is assigned to."""
        return {
            program["id"]: frozenset(unit["id"] for unit in program.get("organisationUnits", []))
            for program in self.metadata.all("programs")
        }

    @cached_property
    def option_codes(self) -> Mapping[str, frozenset[str]]:
        """Per option set: the codes of its options."""
        codes: dict[str, set[str]] = {}
        for option in self.metadata.all("options"):
            codes.setdefault((option.get("optionSet") or {}).get("id", ""), set()).add(
                option["code"]
            )
        return {uid: frozenset(members) for uid, members in codes.items()}

    @cached_property
    def default_option_combo(self) -> str:
        """The attribute option combo of data that names none."""
        return defaults_of(self.metadata).uids["categoryOptionCombos"]

    @cached_property
    def unique_attributes(self) -> frozenset[str]:
        """The attributes of which no two people may share a value."""
        every = self.metadata.all("trackedEntityAttributes")
        return frozenset(item["id"] for item in every if item.get("unique"))

    @cached_property
    def usernames(self) -> Mapping[str, str]:
        """Per username: the user's UID."""
        return {user["username"]: user["id"] for user in self.metadata.all("users")}

    @cached_property
    def _children(self) -> Mapping[str, list[str]]:
        children: dict[str, list[str]] = {}
        for unit in self.metadata.all("organisationUnits"):
            children.setdefault((unit.get("parent") or {}).get("id", ""), []).append(unit["id"])
        return children

    def children(self, org_unit: str) -> list[str]:
        """Return the org unit and the units directly below it."""
        return [org_unit, *self._children.get(org_unit, [])]

    def descendants(self, org_units: Iterable[str]) -> list[str]:
        """Return the org units and everything below them."""
        found = dict.fromkeys(org_units)
        waiting = list(found)
        while waiting:
            below = [uid for uid in self._children.get(waiting.pop(), []) if uid not in found]
            found.update(dict.fromkeys(below))
            waiting += below
        return list(found)

    def below_paths(self, paths: Iterable[str]) -> list[str]:
        """Return the org units that a scope of paths covers."""
        return self.descendants(path.rsplit("/", 1)[-1] for path in paths)

    def has_registration(self, program: str | None) -> bool:
        """Tell whether the program follows people."""
        known = self.program(program)
        return known is not None and known.get("programType") == "WITH_REGISTRATION"

    def placeholder_enrollment(self, program: str) -> str:
        """Return the enrollment that DHIS2 keeps for all events of a program without people."""
        return uid_derived_from(f"enrollment of {program}")

    def org_unit_name(self, uid: str) -> str | None:
        """Return the name of an org unit."""
        known = self.metadata.get("organisationUnits", uid)
        return None if known is None else str(known["name"])

    def user_view(self, uid: str | None) -> dict[str, Any] | None:
        """Return how tracker data names a user."""
        user = self.metadata.get("users", uid)
        if user is None:
            return None
        members = {name: user[name] for name in ("username", "firstName", "surname")}
        return {"uid": uid, **members}

    def _inner(self, plural: str, members: str, member: str) -> Mapping[str, Mapping[str, bool]]:
        return {
            holder["id"]: {
                inner[member]["id"]: bool(inner.get("mandatory") or inner.get("compulsory"))
                for inner in holder.get(members, [])
            }
            for holder in self.metadata.all(plural)
        }
