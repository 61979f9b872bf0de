"""The refusals: what does a code of a metadata import mean, and what is to be done?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from dhis2_api.metadata_report import MetadataError, Mode
from tracker_sync.codes.of_metadata import metadata_remedy_for
from tracker_sync.findings import Finding, some_of


def refusals(server: str, mode: Mode, errors: Sequence[MetadataError]) -> list[Finding]:
    """Return a blocking finding for each code, with its objects and its remedy.

    Args:
        server: What messages call it.
        mode: What it was told to do.
        errors: What it said.
    """
    by_code: dict[str, list[MetadataError]] = defaultdict(list)
    for error in errors:
        by_code[error.code].append(error)
    where = f"{server}: {mode} of the metadata refused"
    if not by_code:
        return [_unnamed(f"{where} it, and names no object")]
    return [_refused(where, code, of_code) for code, of_code in sorted(by_code.items())]


def _refused(where: str, code: str, errors: Sequence[MetadataError]) -> Finding:
    remedy = metadata_remedy_for(code)
    return Finding(
        "metadata_refused",
        blocking=True,
        text=f"{where} {some_of(errors, '; ')}: {remedy.meaning_en}",
        remedy=f"{remedy.do_en} (en français : {remedy.meaning_fr} ; {remedy.do_fr})",
    )


def _unnamed(text: str) -> Finding:
    return Finding(
        "metadata_refused",
        blocking=True,
        text=text,
        remedy="look into the server's log",
    )
