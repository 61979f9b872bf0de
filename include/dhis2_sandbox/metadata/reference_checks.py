"""Does everything exist that an object names, and may the account name it?"""

from collections.abc import Iterator

from dhis2_sandbox.access.rights import METADATA_READ
from dhis2_sandbox.metadata.classes import CLASSES
from dhis2_sandbox.metadata.problems import MetadataProblem
from dhis2_sandbox.metadata.question import Question
from dhis2_sandbox.metadata.references import uids_at


#: The list whose missing attributes the real server finds twice, in a hook as well (measured).
_HOOKED = "trackedEntityTypeAttributes"
_SHARES = (("userGroups", "userGroups", "userGroupAccesses"), ("users", "users", "userAccesses"))
_READ_CHECKED_FROM = 41


def reference_problems(question: Question) -> Iterator[MetadataProblem]:
    """Yield what cannot be named: nothing of it is stored, nor in the payload."""
    for path, target in question.schema.references(question.plural).items():
        yield from _at_path(question, path, target)
    for value in question.item.get("attributeValues") or ():
        uid = (value.get("attribute") or {}).get("id")
        if uid and not question.payload.has("attributes", uid):
            yield _missing(question, "attributes", uid, "attributeValues.attribute")
    if question.kind.shared and not question.options.skip_sharing:
        yield from _sharing(question)


def _at_path(question: Question, path: str, target: str) -> Iterator[MetadataProblem]:
    member, *inner = path.split(".")
    found: set[str] = set()
    for uid in uids_at(question.item, path.split(".")):
        reference = f"[{uid}] ({CLASSES[target].name})"
        if not question.payload.has(target, uid):
            yield _missing(question, target, uid, path)
            if member == _HOOKED:
                yield MetadataProblem("E5001", (f"UID ({uid})", reference), member)
        elif not _is_readable(question, target, uid):
            yield MetadataProblem("E5008", (reference, question.name, member), member)
        elif uid in found and not inner:
            yield MetadataProblem("E5007", (reference, question.name, member), member)
        found.add(uid)


def _missing(question: Question, target: str, uid: str, path: str) -> MetadataProblem:
    member = path.split(".", maxsplit=1)[0]
    arguments = (f"[{uid}] ({CLASSES[target].name})", question.name, member)
    return MetadataProblem("E5002", arguments, member, question.uid, (path, uid))


def _sharing(question: Question) -> Iterator[MetadataProblem]:
    sent = question.item.get("sharing") or {}
    for member, target, association in _SHARES:
        for uid in sent.get(member) or {}:
            if not question.payload.has(target, uid):
                reference = f"[{uid}] ({CLASSES[target].name})"
                arguments = (reference, question.name, association)
                yield MetadataProblem(
                    "E5002", arguments, association, question.uid, (f"sharing.{member}", uid)
                )


def _is_readable(question: Question, target: str, uid: str) -> bool:
    """Tell whether the account may read what it names, as 2.41 and later demand (metadata 2.7)."""
    stored = question.metadata.get(target, uid)
    if question.schema.minor < _READ_CHECKED_FROM or stored is None or not CLASSES[target].shared:
        return True
    return question.rights.may(METADATA_READ, stored)
