"""Which objects does a metadata payload bring?"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from dhis2_sandbox.dialect import Dialect
from dhis2_sandbox.http.answers import Refused
from dhis2_sandbox.identifiers import new_uid
from dhis2_sandbox.metadata.classes import CLASSES
from dhis2_sandbox.metadata.defaults import Defaults, defaults_of
from dhis2_sandbox.metadata.schema import Schema
from dhis2_sandbox.metadata.store import Members, Metadata


class Payload:
    """The objects of a request by class, beside the metadata that they come to."""

    def __init__(self, objects: Mapping[str, Sequence[Members]], metadata: Metadata) -> None:
        """Keep the objects in the order of their classes."""
        self.objects = objects
        self.metadata = metadata
        self._taken: dict[tuple[str, str], dict[Any, str]] = {}
        self._siblings: dict[tuple[str, str], dict[str, list[Members]]] = {}

    @cached_property
    def defaults(self) -> Defaults:
        """The server's own default objects."""
        return defaults_of(self.metadata)

    @cached_property
    def _uids(self) -> Mapping[str, frozenset[str]]:
        return {
            plural: frozenset(item["id"] for item in items)
            for plural, items in self.objects.items()
        }

    @cached_property
    def listed_stages(self) -> frozenset[str]:
        """The program stages that a program of the payload lists."""
        programs = self.objects.get("programs", ())
        return frozenset(s.get("id", "") for p in programs for s in p.get("programStages") or ())

    def has(self, plural: str, uid: str) -> bool:
        """Tell whether an object is stored or will be."""
        return self.metadata.get(plural, uid) is not None or uid in self._uids.get(plural, ())

    def holder(self, plural: str, member: str, value: Any, uid: str) -> str:
        """Return whose value this is: the first one's that was stored with it or brings it."""
        taken = self._taken.get((plural, member))
        if taken is None:
            every = self.metadata.all(plural)
            taken = {item[member]: item["id"] for item in every if item.get(member) is not None}
            self._taken[(plural, member)] = taken
        return taken.setdefault(value, uid)

    def siblings(self, plural: str, member: str, uid: str) -> Sequence[Members]:
        """Return the objects of a class, stored or sent, that name another one in a member."""
        found = self._siblings.get((plural, member))
        if found is None:
            found = {}
            for item in (*self.metadata.all(plural), *self.objects.get(plural, ())):
                found.setdefault((item.get(member) or {}).get("id", ""), []).append(item)
            self._siblings[(plural, member)] = found
        return found.get(uid, [])


def read_payload(body: Any, metadata: Metadata, dialect: Dialect) -> Payload:
    """Read the objects of known classes, the server's own defaults aside.

    Other classes and unknown members are ignored without a word (metadata 2.8).

    Raises:
        Refused: for what is no payload of metadata, or has a word that an enum does not know.
    """
    sent = body if isinstance(body, dict) else {}
    lists = {plural: sent[plural] for plural in CLASSES if sent.get(plural)}
    for plural, items in lists.items():
        if not (isinstance(items, list) and all(isinstance(item, dict) for item in items)):
            raise Refused(400, f"JSON parse error: Cannot construct the objects of `{plural}`")
    _demand_constants(lists, dialect)
    defaults = defaults_of(metadata)
    identified = {
        plural: [item if item.get("id") else item | {"id": new_uid()} for item in items]
        for plural, items in lists.items()
    }
    return Payload(
        {plural: defaults.without(plural, items) for plural, items in identified.items()}, metadata
    )


def _demand_constants(lists: Mapping[str, Sequence[Members]], dialect: Dialect) -> None:
    """Refuse the whole payload for one unknown word, without saying whose it is (metadata 2.6)."""
    schema = Schema(dialect.minor)
    for plural, items in lists.items():
        for item in items:
            for member, value in schema.known(plural, item).items():
                words = schema.constants(member)
                if words is not None and value not in words:
                    raise Refused(
                        dialect.unknown_constant_status,
                        f"Cannot deserialize value of type `{member}` from String {value!r}: not "
                        f"one of the values accepted for Enum class: [{', '.join(sorted(words))}]",
                    )
