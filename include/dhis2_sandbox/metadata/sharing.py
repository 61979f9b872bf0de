"""Who may see and change an object after an import?

The answers of metadata 2.4.
"""

from collections.abc import Iterator, Sequence

from dhis2_sandbox.access.rights import Rights
from dhis2_sandbox.metadata.classes import CLASSES
from dhis2_sandbox.metadata.members import Registrar, sharing_given
from dhis2_sandbox.metadata.question import MetadataOptions
from dhis2_sandbox.metadata.report import Verdict
from dhis2_sandbox.metadata.store import Members, Metadata


_PRIVATE = "--------"
_PUBLIC = "rw------"


def sharing_of(
    verdict: Verdict, registrar: Registrar, rights: Rights, options: MetadataOptions
) -> Members:
    """Return the sharing of an object that is created or updated.

    With skipSharing an update keeps it and a new object is nobody's but its owner's. Without any
    in the payload it becomes the default of the class, on an update as well, and never gives
    access to data.
    """
    author, minor = registrar.author["id"], registrar.schema.minor
    if options.skip_sharing:
        kept: Members | None = (verdict.stored or {}).get("sharing")
        return kept or sharing_given({"public": _PRIVATE}, author, minor)
    sent = _without_missing(verdict)
    if not sent:
        add = CLASSES[verdict.plural].add
        publishes = not add or rights.has(add[0])
        sent = {"public": _PUBLIC if publishes else _PRIVATE}
    return sharing_given(sent, author, minor)


def shared_as_program(metadata: Metadata, verdicts: Sequence[Verdict]) -> Iterator[Members]:
    """Yield the stages of imported event programs, which take over the program's sharing."""
    for verdict in verdicts:
        program = metadata.get(verdict.plural, verdict.item["id"])
        if verdict.plural != "programs" or program is None:
            continue
        if program.get("programType") == "WITHOUT_REGISTRATION":
            for reference in program.get("programStages", [])[:1]:
                stage = metadata.get("programStages", reference["id"])
                if stage is not None and stage.get("sharing") != program["sharing"]:
                    yield stage | {"sharing": program["sharing"]}


def _without_missing(verdict: Verdict) -> Members:
    """Return the sharing that was sent, without users and groups that do not exist."""
    sent: Members = dict(verdict.item.get("sharing") or {})
    for problem in verdict.problems:
        path, uid = problem.missing or ("", "")
        if path.startswith("sharing."):
            member = path.removeprefix("sharing.")
            sent[member] = {name: share for name, share in sent[member].items() if name != uid}
    return sent
