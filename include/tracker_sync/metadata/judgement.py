"""The judgement: what does the state of the metadata mean for a run?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import TypeVar

from tracker_sync.findings import Finding, some_of
from tracker_sync.mapping.terms import PLURALS
from tracker_sync.metadata.clashes import Clash
from tracker_sync.metadata.classes import Objects
from tracker_sync.metadata.difference import Change
from tracker_sync.metadata.harm import harm_of
from tracker_sync.metadata.references import references
from tracker_sync.metadata.versions import SetAside, unknown_values


_One = TypeVar("_One", Change, Clash)

#: What a program's events are filed under, and its enrollments (2.43).
_COMBINATIONS = ("categoryCombo", "enrollmentCategoryCombo")


def unsupported(objects: Objects, defaults: frozenset[str]) -> list[Finding]:
    """Return a blocking finding for each program with a category combination of its own.

    Its events, and on 2.43 its enrollments, are filed under category options. What servers do
    with those is neither measured nor recorded, and by the facts two things lose records
    without a word: a list leaves out what is filed under an option whose data the account may
    not read, and option combinations are made by each server, under UIDs of its own.
    """
    return [
        Finding(
            "program_category_combination",
            blocking=True,
            text=f"programs {uid} has a {name} of its own, {combo}. Such records are not copied: "
            "a server leaves out, without a word, those of category options that the account may "
            "not read, so that nobody could tell whether all came; and it makes option "
            "combinations under UIDs of its own, which would be there twice, or refused (E1131)",
            remedy="take the program out of the route; or make it at the destination by hand and "
            "map it there, `programs` and `option_combos`, when you know that both accounts may "
            "read and write data of all its category options",
        )
        for uid, program in objects.get("programs", {}).items()
        for name in _COMBINATIONS
        if (combo := (program.get(name) or {}).get("id")) and combo not in defaults
    ]


def clashing(clashes: Sequence[Clash]) -> list[Finding]:
    """Return a blocking finding for each class with objects that can't be what they should."""
    return [
        Finding(
            "metadata_clashes",
            blocking=True,
            text=f"the destination can't take {_named(plural, of_class)}",
            remedy="rename or delete what stands there, map the one to the other in the route"
            f"{_mapping_of(of_class[0])}, or take the change back at the source",
        )
        for plural, of_class in _by_class(clashes)
    ]


def hidden(changes: Sequence[Change], theirs: Objects) -> list[Finding]:
    """Return a blocking finding for each class with objects that are there and not shown.

    The destination names them in objects of its own, so they are none that it lacks: to
    send them would be refused, or would replace what nobody here has seen.
    """
    new = [change for change in changes if change.is_new]
    named = {one.to for one in references(theirs)} if new else set()
    return [
        Finding(
            "not_shown_there",
            blocking=True,
            text=f"the destination names and does not show {_named(plural, of_class)}",
            remedy="give the destination account read access to them; if it has it, run again",
        )
        for plural, of_class in _by_class([one for one in new if (one.plural, one.uid) in named])
    ]


def unfit(objects: Objects, version: str) -> list[Finding]:
    """Return a blocking finding for each value that the destination's version does not know.

    It would refuse the whole payload and name no object (metadata 2.6).
    """
    return [
        Finding(
            "value_unknown_there",
            blocking=True,
            text=f"{plural} {uid} has a {name} that DHIS2 {version}, the destination's, does "
            "not know",
            remedy="change it at the source, or update the destination",
        )
        for plural, uid, name in unknown_values(objects, version)
    ]


def losing(aside: Sequence[SetAside]) -> list[Finding]:
    """Return a finding for each field that the destination's version does not have."""
    return [
        Finding(
            "field_unknown_there",
            blocking=False,  # DHIS2 ignores what it does not know
            text=f"the destination's version has no {one.plural}.{one.field}; its content in "
            f"{some_of(one.uids)} stays behind",
            remedy="update the destination if it is needed there",
        )
        for one in aside
    ]


def differing(changes: Sequence[Change], theirs: Objects) -> list[Finding]:
    """Return what `check` has to say, class by class.

    What would have data refused or lost blocks; all else is only told.
    """
    harms = {id(change): harm_of(change, theirs) for change in changes}
    harmful = [_because(change, harms[id(change)]) for change in changes if harms[id(change)]]
    others = [change for change in changes if not harms[id(change)]]
    return [
        *(_harmful(plural, of_class) for plural, of_class in _by_class(harmful)),
        *(_harmless(plural, of_class) for plural, of_class in _by_class(others)),
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


def _because(change: Change, fields: tuple[str, ...]) -> Change:
    return change if change.is_new else replace(change, fields=fields)


def _harmful(plural: str, changes: Sequence[Change]) -> Finding:
    return Finding(
        "metadata_differs",
        blocking=True,
        text=f"the destination would refuse or lose data: it lacks or differs in "
        f"{_named(plural, changes)}",
        remedy="mend it there, or set `metadata: apply` in the route",
    )


def _harmless(plural: str, changes: Sequence[Change]) -> Finding:
    return Finding(
        "metadata_drifts",
        blocking=False,
        text=f"the destination lacks or differs in {_named(plural, changes)}, which refuses no "
        "data",
        remedy="set `metadata: apply` in the route to bring it over",
    )


def _mapping_of(clash: Clash) -> str:
    tables = [table for table, plural in PLURALS.items() if plural == clash.plural]
    if not tables or clash.other == clash.uid:
        return ""
    return f" (`mapping: {{{tables[0]}: {{{clash.uid}: {clash.other}}}}}`)"


def _by_class(changes: Sequence[_One]) -> Iterator[tuple[str, list[_One]]]:
    for plural, of_class in groupby(sorted(changes, key=_plural), key=_plural):
        yield plural, list(of_class)


def _named(plural: str, changes: Sequence[Change] | Sequence[Clash]) -> str:
    return f"{plural} {some_of(changes)}"


def _plural(one: Change | Clash) -> str:
    return one.plural
