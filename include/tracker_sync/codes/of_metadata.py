"""The codes of metadata: what does a refused object of a metadata import mean?

They have a table of their own, `metadata_codes.csv`, because DHIS2 gives some numbers twice:
E4014 is a wrong UID here and an end of a relationship in a tracker import.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class MetadataRemedy:
    """What to do about a code; its attributes are the columns of `metadata_codes.csv`.

    Attributes:
        code: Of DHIS2 (metadata 2.7), with UNKNOWN for one without a row; in small letters it
            is ours, of a danger to data.
        meaning_en: What it says, without any name.
        do_en: What a person does.
        meaning_fr: The same in French.
        do_fr: The same in French.
    """

    code: str
    meaning_en: str
    do_en: str
    meaning_fr: str
    do_fr: str


def _read() -> Mapping[str, MetadataRemedy]:
    text = files(__package__).joinpath("metadata_codes.csv").read_text(encoding="utf-8")
    _, *rows = csv.reader(text.splitlines(), strict=True)
    return {row[0]: MetadataRemedy(*row) for row in rows}


METADATA_REMEDIES = _read()

_HEAD = """\
# Codes of a metadata import

What each code of DHIS2 means when `sync_metadata` says `metadata_refused`, and what to do. \
Nothing was written then; the next run sends it all again. Codes in small letters are our own: \
what would have data refused or lost, [told before anything is written](metadata.md#dangers).

**En français.** Ce que signifie chaque code quand `sync_metadata` dit `metadata_refused`, et \
quoi faire. Rien n'a été écrit ; la prochaine exécution renverra tout. Les codes en minuscules \
sont les nôtres : ce qui ferait refuser ou perdre des données, \
[annoncé avant toute écriture](metadata.md#dangers).

This page is written by `PYTHONPATH=include python -m tracker_sync.codes metadata > \
docs/metadata-codes.md` from `include/tracker_sync/codes/metadata_codes.csv`; words are changed \
there.

## Every code

| Code | In English | En français |
| --- | --- | --- |
"""


def metadata_remedy_for(code: str) -> MetadataRemedy:
    """Return what to do about a code; of one that nobody knows, that it is so."""
    return METADATA_REMEDIES.get(code, METADATA_REMEDIES["UNKNOWN"])


def page() -> str:
    """Return `docs/metadata-codes.md`."""
    return _HEAD + "".join(map(_row, METADATA_REMEDIES.values()))


def _row(remedy: MetadataRemedy) -> str:
    english = f"{remedy.meaning_en}. **Do:** {remedy.do_en}"
    french = f"{remedy.meaning_fr}. **Faire :** {remedy.do_fr}"
    return f"| `{remedy.code}` | {english} | {french} |\n"
