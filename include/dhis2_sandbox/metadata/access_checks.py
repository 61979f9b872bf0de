"""May this account write this object, and share it as it says?

Superusers may. Everybody else needs an authority of the class and, to change or delete an object,
write access to it (metadata 5.3); sharing is checked unless it is skipped.
"""

import re
from collections.abc import Iterator

from dhis2_sandbox.access.rights import METADATA_WRITE
from dhis2_sandbox.metadata.problems import MetadataProblem
from dhis2_sandbox.metadata.question import Question


_ACCESS = re.compile(r"[r-][w-][r-][w-]----")
_PRIVATE = "--------"


def access_problems(question: Question) -> Iterator[MetadataProblem]:
    """Yield the reason against the account, or those against the sharing it sends."""
    problem = _right(question)
    if problem is not None:
        yield problem
    elif not (question.deletes or question.options.skip_sharing or question.rights.superuser):
        yield from _sharing(question)


def _right(question: Question) -> MetadataProblem | None:
    kind, stored = question.kind, question.stored
    if stored is None:
        allowed, code = _holds(question, kind.add), "E3000"
    else:
        needed, code = (kind.add + kind.update, "E3001")
        if question.deletes:
            needed, code = (kind.delete, "E3002")
        writes = not kind.shared or question.rights.may(METADATA_WRITE, stored)
        allowed = writes and _holds(question, needed)
    return None if allowed else MetadataProblem(code, (question.user, question.name))


def _holds(question: Question, authorities: tuple[str, ...]) -> bool:
    return not authorities or any(question.rights.has(name) for name in authorities)


def _sharing(question: Question) -> Iterator[MetadataProblem]:
    kind, sent = question.kind, question.item.get("sharing")
    if not kind.shared or not isinstance(sent, dict):
        return
    public = sent.get("public")
    if public is not None and not _ACCESS.fullmatch(public):
        yield MetadataProblem("E3010", (public,))
        return
    shares = [*(sent.get("users") or {}).values(), *(sent.get("userGroups") or {}).values()]
    texts = [public or _PRIVATE, *(share.get("access") or _PRIVATE for share in shares)]
    if kind.sharing != "data" and any(text[2:4] != "--" for text in texts):
        yield MetadataProblem("E3011", (kind.name,))
    if not _holds(question, kind.add):
        yield MetadataProblem("E3009", (question.user, kind.name))
    elif not _holds(question, kind.add[:1]) and (public or _PRIVATE)[:2] != "--":
        yield MetadataProblem("E3008", (question.user, kind.name))
