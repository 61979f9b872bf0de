"""How does a metadata import report what became of each object?"""

from collections.abc import Sequence
from dataclasses import dataclass

from dhis2_sandbox.dialect import Dialect
from dhis2_sandbox.metadata.classes import CLASSES
from dhis2_sandbox.metadata.problems import MetadataProblem
from dhis2_sandbox.metadata.question import MetadataOptions
from dhis2_sandbox.metadata.store import Members


_SOFT = frozenset({"E5002"})
#: Codes found after an object was counted once already: it is counted again (recordings: 018, 021).
_COUNTED_TWICE = frozenset({"E5002", "E4014", "E4000"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found about one object of a payload."""

    plural: str
    index: int
    item: Members
    stored: Members | None
    problems: tuple[MetadataProblem, ...]
    strategy: str

    @property
    def is_stored(self) -> bool:
        """Whether atomicMode NONE stores it: a missing reference is only left out (measured)."""
        return all(problem.code in _SOFT for problem in self.problems)

    @property
    def outcome(self) -> str:
        """The counter that the object moves when it is stored."""
        if self.strategy == "DELETE":
            return "deleted"
        return "created" if self.stored is None else "updated"


@dataclass(frozen=True, slots=True)
class Reporter:
    """Writes the report of one import in the words of one version."""

    dialect: Dialect
    options: MetadataOptions

    def report_of(self, verdicts: Sequence[Verdict], *, blocked: bool) -> tuple[int, Members]:
        """Return the HTTP status and the members of the WebMessage around the import report."""
        plurals = dict.fromkeys(verdict.plural for verdict in verdicts)
        reports = [
            self._type_report([item for item in verdicts if item.plural == plural], blocked=blocked)
            for plural in plurals
        ]
        problems = any(verdict.problems for verdict in verdicts)
        response = {
            "status": "ERROR" if blocked else "WARNING" if problems else "OK",
            "stats": _sum([report["stats"] for report in reports]),
            "typeReports": reports,
            "responseType": f"ImportReport{self.dialect.report_suffix}",
        }
        if not problems:
            return 200, {"response": response}
        message = "One or more errors occurred, please see full details in import report."
        return 409, {"status": "WARNING", "message": message, "response": response}

    def _type_report(self, verdicts: Sequence[Verdict], *, blocked: bool) -> Members:
        counts = dict.fromkeys(("created", "updated", "deleted", "ignored"), 0)
        for verdict in verdicts:
            if verdict.is_stored and not blocked:
                counts[verdict.outcome] += 1
            else:
                codes = {problem.code for problem in verdict.problems}
                counts["ignored"] += 2 if codes & _COUNTED_TWICE else 1
        every = self.options.full_report and not (self.options.validate_only or blocked)
        told = [verdict for verdict in verdicts if every or verdict.problems]
        return {
            "klass": CLASSES[verdicts[0].plural].klass,
            "stats": counts | {"total": sum(counts.values())},
            "objectReports": [self._object_report(verdict) for verdict in told],
        }

    def _object_report(self, verdict: Verdict) -> Members:
        report: Members = {
            "klass": CLASSES[verdict.plural].klass,
            "index": verdict.index,
            "uid": verdict.item["id"],
        }
        if verdict.stored is not None:
            report["displayName"] = verdict.item.get("name")
        minor = self.dialect.minor
        errors = [problem.as_report(verdict.plural, minor) for problem in verdict.problems]
        return report | {"errorReports": errors}


def _sum(stats: Sequence[dict[str, int]]) -> dict[str, int]:
    names = ("created", "updated", "deleted", "ignored", "total")
    return {name: sum(item[name] for item in stats) for name in names}
