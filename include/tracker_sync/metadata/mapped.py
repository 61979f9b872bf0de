"""The mapped metadata: does what a route's mapping names exist, each side on its own?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tracker_sync.findings import Finding, some_of
from tracker_sync.mapping.terms import DROP, PLURALS, MappingTerms
from tracker_sync.metadata.classes import Objects


#: What values stand in or are of: nothing can be stored where the destination lacks one.
_OF_DATA = ("programStages", "trackedEntityTypes", "trackedEntityAttributes", "dataElements")


def translated(objects: Objects, terms: MappingTerms) -> dict[str, list[str]]:
    """Return what the destination calls objects of the source, by class."""
    there = terms.uids()
    return {
        plural: sorted({there.get(uid, uid) for uid in by_uid})
        for plural, by_uid in objects.items()
    }


def mapping_findings(
    terms: MappingTerms, ours: Objects, sent: Objects, theirs: Objects
) -> list[Finding]:
    """Return what a mapping asks for and neither server has, and what it makes one of two.

    Args:
        terms: The route's mapping.
        ours: All that the data needs, as the source has it.
        sent: What of it is the route's to bring over: no object that is mapped.
        theirs: What the destination has of all of it, in its own names.
    """
    return [
        *_tables(terms, ours, theirs),
        *_codes(terms, ours),
        *_lacking(terms, ours, sent, theirs),
    ]


def _tables(terms: MappingTerms, ours: Objects, theirs: Objects) -> Iterator[Finding]:
    for table, plural in PLURALS.items():
        rows = {uid: to for uid, to in terms.table(table).items() if to != DROP}
        here, there = ours.get(plural, {}), theirs.get(plural, {})
        if unknown := [uid for uid in terms.table(table) if uid not in here]:
            yield _unknown(table, unknown)
        if missing := [to for uid, to in rows.items() if uid in here and to not in there]:
            yield _missing(table, missing)
        if table not in terms.merge and (met := _meeting(rows, here)):
            yield _met(table, met)


def _codes(terms: MappingTerms, ours: Objects) -> Iterator[Finding]:
    """Look into the option sets: which of their codes become one with a code that stays?"""
    for option_set, rows in terms.options.items():
        codes = {
            fields["code"]: fields
            for fields in ours.get("options", {}).values()
            if (fields.get("optionSet") or {}).get("id") == option_set and "code" in fields
        }
        if "options" not in terms.merge and (met := _meeting(rows, codes)):
            yield _met(f"options.{option_set}", met)


def _meeting(rows: Mapping[str, str], here: Mapping[str, object]) -> list[str]:
    """Return the targets that the source has too, as something that keeps its own name."""
    return [to for to in rows.values() if to != DROP and to in here and to not in rows]


def _lacking(
    terms: MappingTerms, ours: Objects, sent: Objects, theirs: Objects
) -> Iterator[Finding]:
    there = terms.uids()
    dropped = {uid for table in PLURALS for uid, to in terms.table(table).items() if to == DROP}
    for plural in _OF_DATA:
        lacking = [
            uid
            for uid in ours.get(plural, {})
            if uid not in sent.get(plural, {})
            and uid not in dropped
            and uid not in there
            and uid not in theirs.get(plural, {})
        ]
        if lacking:
            yield _gap(plural, lacking)


def _unknown(table: str, uids: list[str]) -> Finding:
    return Finding(
        "mapping_source_unknown",
        blocking=False,  # one file of names may serve many routes
        text=f"`mapping.{table}` names what the data of this route does not use: {_named(uids)}",
        remedy="correct the UIDs if they were meant for this route",
    )


def _missing(table: str, uids: list[str]) -> Finding:
    return Finding(
        "mapping_target_missing",
        blocking=True,
        text=f"`mapping.{table}` names what the destination does not show: {_named(uids)}",
        remedy="correct the mapping, or make them there and give the account the right to read",
    )


def _met(table: str, names: list[str]) -> Finding:
    return Finding(
        "mapping_meets_another",
        blocking=True,
        text=f"`mapping.{table}` gives to one what another is called already: {_named(names)}",
        remedy=f"map that one too, or write `merge: [{table.partition('.')[0]}]` if so meant",
    )


def _gap(plural: str, uids: list[str]) -> Finding:
    return Finding(
        "mapping_leaves_a_gap",
        blocking=False,  # what uses it is refused, each with its code; the rest goes on
        text=f"below what is mapped, the destination does not show {plural} {_named(uids)}",
        remedy="map them, drop them, or make them at the destination",
    )


def _named(uids: list[str]) -> str:
    return some_of(sorted(uids))
