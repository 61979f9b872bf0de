"""The table of codes: what does a code mean, and who mends it?

Its rows lie in `codes.csv`, so that who words them need not read Python. Codes that
begin with E are DHIS2's (tracker-api 5; all of the recordings are among them), those
with SYNC are ours; the row UNKNOWN stands for a code that has none.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from typing import Any


class Who(StrEnum):
    """Who can mend what a code says."""

    OPERATOR = "operator"
    SOURCE_ADMIN = "source_admin"
    DESTINATION_ADMIN = "destination_admin"
    DATA_ENTRY = "data_entry"
    NOBODY = "nobody"


class Where(StrEnum):
    """The server on which the record of a refusal is looked at."""

    SOURCE = "source"
    DESTINATION = "destination"


@dataclass(frozen=True, slots=True)
class Remedy:
    """What to do about a code; its attributes are the columns of `codes.csv`.

    Attributes:
        code: Of DHIS2 or of ours.
        kind: Its class, e.g. `reference` for something that is not there.
        versions: The releases of DHIS2 that have it.
        heals: Whether the destination may accept the same content later though neither
            content nor metadata changed, so that it is sent again by every run.
        who: Who mends it; nobody if time or another object's remedy does.
        where: On which server the record is looked at.
        meaning_en: What the code says, without any value.
        do_en: What a person does.
        meaning_fr: The same in French.
        do_fr: The same in French.
    """

    code: str
    kind: str
    versions: str
    heals: bool
    who: Who
    where: Where
    meaning_en: str
    do_en: str
    meaning_fr: str
    do_fr: str


def _read() -> Mapping[str, Remedy]:
    """Return the rows by code; a cell too many or too few stops the import, or a strange word."""
    text = files(__package__).joinpath("codes.csv").read_text(encoding="utf-8")
    head, *rows = csv.reader(text.splitlines(), strict=True)
    return {row[0]: _remedy(dict(zip(head, row, strict=True))) for row in rows}


def _remedy(cells: Mapping[str, str]) -> Remedy:
    read: dict[str, Any] = {
        **cells,
        "heals": _HEALS[cells["heals"]],
        "who": Who(cells["who"]),
        "where": Where(cells["where"]),
    }
    return Remedy(**read)


_HEALS = {"yes": True, "no": False}

REMEDIES = _read()


def remedy_for(code: str | None) -> Remedy:
    """Return what to do about a code; of one that nobody knows, that it is so."""
    return REMEDIES.get(code or "", REMEDIES["UNKNOWN"])


def can_heal(code: str) -> bool:
    """Whether the same content may be accepted later; so it is for a code nobody knows."""
    return remedy_for(code).heals
