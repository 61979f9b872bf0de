"""The removal: how does what only the destination has go, where the route mirrors the source?

A list that no longer names a member is an ordinary change: so an option leaves its set and a
stage its program, and neither is deleted (metadata 3). Rules, variables and indicators name
their program and nothing names them, so they are deleted. Both come before what is new, whose
code or name they may have.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from dhis2_api.client import Json
from dhis2_api.metadata import Fields
from dhis2_api.metadata_report import ImportTerms
from tracker_sync.findings import Finding, some_of
from tracker_sync.metadata.application import Name, NotAppliedError, Writable, post, rewrite
from tracker_sync.metadata.beyond import Gone
from tracker_sync.metadata.classes import Objects
from tracker_sync.metadata.merging import as_it_stands


#: What is deleted.
DELETED = ("programIndicators", "programRuleVariables", "programRules")

#: What is of no one program: it stays.
_LEFT_ALONE = frozenset({"relationshipTypes"})

#: The code of what other objects need.
_IN_USE = "E4030"


def remove(destination: Writable, gone: Sequence[Gone]) -> frozenset[Name]:
    """Delete what only the destination has, except what something there needs.

    Returns:
        What was deleted.

    Raises:
        NotAppliedError: The destination refuses it for another reason.
    """
    wanted = {(one.plural, one.uid) for one in gone if one.plural in DELETED}
    free = frozenset(wanted - _in_use(destination, wanted))
    if free:
        post(destination, _payload(free), ImportTerms("COMMIT", strategy="DELETE"), free)
    return free


def still_needed(gone: Iterable[Gone], removed: Collection[Name]) -> list[Finding]:
    """Return what is said of what could not be deleted."""
    wanted = {(one.plural, one.uid) for one in gone if one.plural in DELETED}
    left = wanted - set(removed)
    return [_left(left)] if left else []


def unlink(destination: Writable, gone: Sequence[Gone], theirs: Objects) -> None:
    """Send option sets without the options that only the destination has.

    A new option may have the code of one of them, and be refused while that is in the set
    (metadata, trap 14).

    Raises:
        NotAppliedError: The destination refuses it.
    """
    going = {one.uid for one in gone if one.plural == "options" and one.field}
    holders = sorted({one.holder for one in gone if one.uid in going})
    sets = [_without(theirs[plural][uid], going) for plural, uid in holders]
    rewrite(destination, {"optionSets": sets})


def _without(fields: Fields, going: Collection[str]) -> Fields:
    kept: list[Json] = [row for row in fields["options"] if row["id"] not in going]
    return {**as_it_stands(fields), "options": kept}


def taken_away(gone: Iterable[Gone]) -> list[Finding]:
    """Return what is said of what a mirror takes away, a finding for each class."""
    by_class: dict[str, list[str]] = {}
    for one in (one for one in gone if one.plural not in _LEFT_ALONE):
        by_class.setdefault(one.plural, []).append(str(one))
    return [_removed(plural, named) for plural, named in sorted(by_class.items())]


def unseen(findings: Iterable[Finding]) -> list[Finding]:
    """Return a blocking finding where a source is not seen whole: what hides would be deleted."""
    if all(finding.code != "metadata_read_by_class" for finding in findings):
        return []
    return [
        Finding(
            "mirror_not_seen_whole",
            blocking=True,
            text="`metadata_extras: mirror` would take away what the source has and does not "
            "show to the account",
            remedy="give the source account F_METADATA_EXPORT, or write `metadata_extras: keep`",
        )
    ]


def _in_use(destination: Writable, wanted: Collection[Name]) -> set[Name]:
    if not wanted:
        return set()
    terms = ImportTerms("VALIDATE", strategy="DELETE")
    try:
        post(destination, _payload(wanted), terms, wanted)
    except NotAppliedError as refused:
        needed = {error.uid for error in refused.errors}
        if not needed or {error.code for error in refused.errors} != {_IN_USE}:
            raise
        return {(plural, uid) for plural, uid in wanted if uid in needed}
    return set()


def _payload(names: Iterable[Name]) -> Mapping[str, Sequence[Fields]]:
    payload: dict[str, list[Fields]] = {}
    for plural, uid in sorted(names):
        payload.setdefault(plural, []).append({"id": uid})
    return payload


def _removed(plural: str, named: Sequence[str]) -> Finding:
    return Finding(
        "extras_removed",
        blocking=False,
        text=f"`metadata_extras: mirror` takes away {plural} {some_of(named)}",
        remedy="write `metadata_extras: keep` if what only the destination has is wanted",
    )


def _left(names: Iterable[Name]) -> Finding:
    return Finding(
        "extras_in_use",
        blocking=False,
        text="the destination needs what the source does not have, so it stays: "
        + some_of([f"{plural} {uid}" for plural, uid in sorted(names)]),
        remedy="take it out of what names it there",
    )
