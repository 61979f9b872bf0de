"""The danger: in which words is it said that data stands against a model?"""

from __future__ import annotations

from collections.abc import Sequence

from tracker_sync.codes.of_metadata import metadata_remedy_for
from tracker_sync.findings import Finding


#: So many objects, or records of one, are named.
NAMED = 20


def danger(code: str, named: Sequence[str], *, blocking: bool) -> list[Finding]:
    """Return a finding with the words of `metadata_codes.csv`, or none if nothing is named.

    Args:
        code: What it is called; a row of that table.
        named: What it concerns: class, UID, and in brackets what of it.
        blocking: Whether a run must not go on.
    """
    if not named:
        return []
    remedy = metadata_remedy_for(code)
    more = f" and {len(named) - NAMED} more" if len(named) > NAMED else ""
    text = f"{', '.join(named[:NAMED])}{more}: {remedy.meaning_en}"
    french = f"(en français : {remedy.meaning_fr} ; {remedy.do_fr})"
    return [Finding(code, blocking=blocking, text=text, remedy=f"{remedy.do_en} {french}")]
