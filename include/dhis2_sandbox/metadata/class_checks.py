"""What does its own class ask of an object?"""

from collections.abc import Callable, Iterator, Mapping

from dhis2_sandbox.metadata.problems import MetadataProblem
from dhis2_sandbox.metadata.question import Question
from dhis2_sandbox.metadata.store import Members


def class_problems(question: Question) -> Iterator[MetadataProblem]:
    """Yield what the rules of one class have against the object (metadata 2.7)."""
    check = _CHECKS.get(question.plural)
    return iter(()) if check is None else check(question)


def _option(question: Question) -> Iterator[MetadataProblem]:
    """Refuse a name or code that another option of the set has, as long as it is linked."""
    option_set = _named(question.item, "optionSet")
    for other in _others(question, "optionSet", option_set):
        if any(other.get(name) == question.item.get(name) for name in ("name", "code")):
            yield MetadataProblem("E4028", (option_set, other["id"]))


def _stage(question: Question) -> Iterator[MetadataProblem]:
    if not (_named(question.item, "program") or question.uid in question.payload.listed_stages):
        yield MetadataProblem("E4053", (question.uid,))


def _rule(question: Question) -> Iterator[MetadataProblem]:
    yield from _same_name(question, "E4057")


def _variable(question: Question) -> Iterator[MetadataProblem]:
    yield from _same_name(question, "E4051")


def _same_name(question: Question, code: str) -> Iterator[MetadataProblem]:
    program, name = _named(question.item, "program"), question.item.get("name")
    if any(other.get("name") == name for other in _others(question, "program", program)):
        yield MetadataProblem(code, (name, program), "name")


def _others(question: Question, member: str, uid: str | None) -> Iterator[Members]:
    """Yield the other objects of the class that name the same holder, stored or sent before."""
    if uid is None:
        return
    for other in question.payload.siblings(question.plural, member, uid):
        if other["id"] != question.uid:
            yield other


def _named(item: Members, member: str) -> str | None:
    reference = item.get(member)
    return reference.get("id") if isinstance(reference, dict) else None


_CHECKS: Mapping[str, Callable[[Question], Iterator[MetadataProblem]]] = {
    "options": _option,
    "programStages": _stage,
    "programRules": _rule,
    "programRuleVariables": _variable,
}
