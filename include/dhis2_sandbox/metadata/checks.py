"""Why would a metadata object be refused?"""

from collections.abc import Callable, Iterator, Mapping

from dhis2_sandbox.identifiers import is_uid
from dhis2_sandbox.metadata.access_checks import access_problems
from dhis2_sandbox.metadata.class_checks import class_problems
from dhis2_sandbox.metadata.deletion_checks import deletion_problems
from dhis2_sandbox.metadata.problems import MetadataProblem
from dhis2_sandbox.metadata.question import Question
from dhis2_sandbox.metadata.reference_checks import reference_problems


#: The longest texts (metadata 2.7: E4001); option codes are longer than others.
_LONGEST: Mapping[str, int] = {"name": 230, "shortName": 50, "code": 50}
_LONGEST_OPTION_CODE = 230

Check = Callable[[Question], Iterator[MetadataProblem]]


def problems_of(question: Question) -> list[MetadataProblem]:
    """Return every reason against the object; one that is in the wrong place has no other."""
    misplaced = list(_existence(question))
    if misplaced:
        return misplaced
    deleting: tuple[Check, ...] = (access_problems, deletion_problems)
    writing: tuple[Check, ...] = (
        class_problems,
        access_problems,
        _identity,
        _required,
        _lengths,
        _uniqueness,
        reference_problems,
    )
    checks = deleting if question.deletes else writing
    return [problem for check in checks for problem in check(question)]


def _existence(question: Question) -> Iterator[MetadataProblem]:
    arguments = (f"UID ({question.uid})", question.name)
    if question.options.strategy == "CREATE" and question.stored is not None:
        yield MetadataProblem("E5000", arguments, "id")
    if question.options.strategy in {"UPDATE", "DELETE"} and question.stored is None:
        yield MetadataProblem("E5001", arguments, "id")


def _identity(question: Question) -> Iterator[MetadataProblem]:
    uid = question.item["id"]
    if isinstance(uid, str) and len(uid) != 11:
        yield MetadataProblem("E4002", ("id", 11.0, 11.0, len(uid)), "id")
    if not is_uid(uid):
        yield MetadataProblem("E4014", (uid, question.kind.name))


def _required(question: Question) -> Iterator[MetadataProblem]:
    for member in question.schema.required(question.plural):
        if question.item.get(member) in (None, ""):
            yield MetadataProblem("E4000", (member,), member)


def _lengths(question: Question) -> Iterator[MetadataProblem]:
    longer = {"code": _LONGEST_OPTION_CODE} if question.plural == "options" else {}
    for member, longest in {**_LONGEST, **longer}.items():
        text = question.item.get(member)
        if isinstance(text, str) and len(text) > longest:
            yield MetadataProblem("E4001", (member, longest, len(text)), member)


def _uniqueness(question: Question) -> Iterator[MetadataProblem]:
    for member in question.schema.unique(question.plural):
        value = question.item.get(member)
        if value is None:
            continue
        holder = question.payload.holder(question.plural, member, value, question.uid)
        if holder != question.uid:
            yield MetadataProblem("E5003", (member, value, question.name, holder), member, holder)
