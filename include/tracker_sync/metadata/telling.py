"""The telling: how is it said, in a log and in a file, what differed and what became of it?"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tracker_sync.findings import Finding, some_of
from tracker_sync.metadata.difference import Counts, Difference
from tracker_sync.metadata.model import Model


#: Of the lines of `metadata.json`.
SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class MetadataResult:
    """What became of the metadata of a route.

    Attributes:
        model: What the data needs to know.
        difference: What differed before anything was sent.
        sent: How many objects were sent.
        findings: What a person should know, or must mend first.
        removed: How many objects were deleted, where the route mirrors the source.
    """

    model: Model
    difference: Difference
    sent: int
    findings: tuple[Finding, ...]
    removed: int = 0

    @property
    def counts(self) -> Mapping[str, Counts]:
        """Objects new, changed and the same before anything was sent, by class."""
        return self.difference.counts

    def to_json(self) -> str:
        """Return the file `metadata.json` of a run; docs/metadata.md says what stands in it."""
        findings = [
            {"code": one.code, "blocking": one.blocking, "text": one.text, "remedy": one.remedy}
            for one in self.findings
        ]
        whole = {
            "schema_version": SCHEMA_VERSION,
            "sent": self.sent,
            "removed": self.removed,
            "objects": self.difference.rows(),
            "findings": findings,
        }
        return json.dumps(whole, ensure_ascii=False, indent=1)


def describe(result: MetadataResult) -> list[str]:
    """Return lines for a task's log."""
    counts = [f"{plural}: {_counted(count)}" for plural, count in sorted(result.counts.items())]
    removed = f", {result.removed} deleted" if result.removed else ""
    total = f"{result.sent} objects sent{removed}, model {result.model.hash[:12]}"
    findings = [str(finding) for finding in result.findings]
    return [*counts, *_named(result.difference), total, *findings]


def _counted(count: Counts) -> str:
    rare = [(count.gone, "only at the destination"), (count.clashing, "clashing")]
    more = "".join(f", {number} {kind}" for number, kind in rare if number)
    return f"{count.new} new, {count.changed} changed, {count.same} the same{more}"


def _named(found: Difference) -> Iterator[str]:
    changed = [(one.plural, str(one)) for one in found.changes if not one.is_new]
    yield from _lines("changed", changed)
    yield from _lines("only at the destination", [(one.plural, str(one)) for one in found.gone])


def _lines(kind: str, named: Iterable[tuple[str, str]]) -> Iterator[str]:
    by_class: dict[str, list[str]] = {}
    for plural, text in named:
        by_class.setdefault(plural, []).append(text)
    for plural, texts in sorted(by_class.items()):
        yield f"{plural} {kind}: {some_of(texts)}"
