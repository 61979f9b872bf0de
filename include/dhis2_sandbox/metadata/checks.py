"""Why would a metadata object be refused?"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dhis2_sandbox.access.rights import METADATA_WRITE, Rights
from dhis2_sandbox.identifiers import is_uid
from dhis2_sandbox.metadata.classes import CLASSES
from dhis2_sandbox.metadata.problems import MetadataProblem
from dhis2_sandbox.metadata.store import Members, Metadata


#: The list whose missing attributes the real server finds twice, in a hook as well (measured).
_HOOKED = "trackedEntityTypeAttributes"


@dataclass(frozen=True, slots=True)
class Question:
    """One object that wants in, and everything it is judged by."""

    plural: str
    item: Members
    payload: Mapping[str, Sequence[Members]]
    metadata: Metadata
    rights: Rights
    strategy: str

    @property
    def name(self) -> str:
        """The object as messages name it, e.g. `Weight [ol1WpmrN6NG] (DataElement)`."""
        label = self.item.get("name") or self.item.get("username") or ""
        return f"{label} [{self.item.get('id')}] ({CLASSES[self.plural].name})"

    @property
    def stored(self) -> Members | None:
        """The object as it is stored."""
        return self.metadata.get(self.plural, self.item.get("id"))


def problems_of(question: Question) -> list[MetadataProblem]:
    """Return every reason against the object, none of which hides another."""
    checks = (_existence, _access, _identity, _required, _uniqueness, _references)
    return [problem for check in checks for problem in check(question)]


def _existence(question: Question) -> Iterator[MetadataProblem]:
    arguments = (f"UID ({question.item.get('id')})", question.name)
    if question.strategy == "CREATE" and question.stored is not None:
        yield MetadataProblem("E5000", arguments, "id")
    if question.strategy in {"UPDATE", "DELETE"} and question.stored is None:
        yield MetadataProblem("E5001", arguments, "id")


def _access(question: Question) -> Iterator[MetadataProblem]:
    rights, stored = question.rights, question.stored
    user = f"{rights.username} [{rights.uid}] (User)"
    account = question.metadata.get("users", rights.uid)
    if account is not None:
        user = f"{account['firstName']} {account['surname']} [{rights.uid}] (User)"
    if stored is None:
        if not rights.has("F_METADATA_IMPORT"):
            yield MetadataProblem("E3000", (user, CLASSES[question.plural].name))
    elif not (rights.has("F_METADATA_IMPORT") and rights.may(METADATA_WRITE, stored)):
        yield MetadataProblem("E3001", (user, question.name))


def _identity(question: Question) -> Iterator[MetadataProblem]:
    uid = question.item.get("id")
    if isinstance(uid, str) and len(uid) != 11:
        yield MetadataProblem("E4002", ("id", 11.0, 11.0, len(uid)), "id")
    if not is_uid(uid):
        yield MetadataProblem("E4014", (uid, CLASSES[question.plural].name))


def _required(question: Question) -> Iterator[MetadataProblem]:
    if question.strategy == "DELETE":
        return
    for member in CLASSES[question.plural].required:
        if question.item.get(member) in (None, ""):
            yield MetadataProblem("E4000", (member,), member)


def _uniqueness(question: Question) -> Iterator[MetadataProblem]:
    uid = question.item.get("id")
    for member in CLASSES[question.plural].unique:
        value = question.item.get(member)
        if value is None:
            continue
        for other in question.metadata.all(question.plural):
            if other.get(member) == value and other["id"] != uid:
                arguments = (member, value, question.name, other["id"])
                yield MetadataProblem("E5003", arguments, member, other["id"])


def _references(question: Question) -> Iterator[MetadataProblem]:
    if question.strategy == "DELETE":
        return
    for path, target in CLASSES[question.plural].references.items():
        member = path.split(".", maxsplit=1)[0]
        for uid in _uids_at(question.item, path.split(".")):
            if not _is_known(question, target, uid):
                reference = f"[{uid}] ({CLASSES[target].name})"
                arguments = (reference, question.name, member)
                yield MetadataProblem("E5002", arguments, member, question.item.get("id"))
                if member == _HOOKED:
                    yield MetadataProblem("E5001", (f"UID ({uid})", reference), member)


def _uids_at(value: Any, path: Sequence[str]) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _uids_at(item, path)
    elif isinstance(value, dict):
        if path:
            yield from _uids_at(value.get(path[0]), path[1:])
        elif value.get("id"):
            yield value["id"]


def _is_known(question: Question, plural: str, uid: str) -> bool:
    if question.metadata.get(plural, uid) is not None:
        return True
    return any(item.get("id") == uid for item in question.payload.get(plural, ()))
