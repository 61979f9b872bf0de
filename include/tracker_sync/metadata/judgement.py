"""The judgement: what does the state of the metadata mean for a run?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from tracker_sync.findings import Finding
from tracker_sync.metadata.classes import Objects
from tracker_sync.metadata.difference import Change


#: So many differing objects of a class are named.
_NAMED = 20


def unsupported(objects: Objects, defaults: frozenset[str]) -> list[Finding]:
    """Return a blocking finding for each program that this release does not copy."""
    return [
        Finding(
            "program_category_combination",
            blocking=True,
            text=f"programs {uid} has a category combination of its own, which this release "
            "does not copy",
            remedy="take the program out of the route",
        )
        for uid, program in objects.get("programs", {}).items()
        if program.get("categoryCombo", {}).get("id", "default") not in defaults | {"default"}
    ]


def differing(changes: Sequence[Change]) -> list[Finding]:
    """Return what `check` has to say: a blocking finding for each class that differs."""
    return [
        Finding(
            "metadata_differs",
            blocking=True,
            text=f"the destination lacks or differs in {_named(plural, of_class)}",
            remedy="mend it there, or set `metadata: apply` in the route",
        )
        for plural, of_class in _by_class(changes)
    ]


def remaining(changes: Sequence[Change]) -> list[Finding]:
    """Return what still differs after everything was sent, a finding for each class."""
    return [
        Finding(
            "metadata_not_as_sent",
            # A field the server rewrites is no reason to stop; an object that is not there is.
            blocking=any(change.is_new for change in of_class),
            text=f"after all was sent the destination still differs in {_named(plural, of_class)}",
            remedy="compare them on both servers; another version may not know the field",
        )
        for plural, of_class in _by_class(changes)
    ]


def _by_class(changes: Sequence[Change]) -> Iterator[tuple[str, list[Change]]]:
    # The changes of a class stand together.
    for plural, of_class in groupby(changes, key=lambda change: change.plural):
        yield plural, list(of_class)


def _named(plural: str, changes: Sequence[Change]) -> str:
    more = f" and {len(changes) - _NAMED} more" if len(changes) > _NAMED else ""
    return f"{plural} {', '.join(map(str, changes[:_NAMED]))}{more}"
