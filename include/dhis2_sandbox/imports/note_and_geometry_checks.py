"""Which checks do enrollments and events share?"""

from collections.abc import Iterator

from dhis2_sandbox.imports.findings import Finding
from dhis2_sandbox.imports.kinds import Kind
from dhis2_sandbox.imports.situation import Situation, finding
from dhis2_sandbox.metadata.store import Members


def check_notes(situation: Situation, kind: Kind, item: Members) -> Iterator[Finding]:
    """Warn about notes that exist already: they are left out (recordings: 108, 109)."""
    for note in item.get("notes") or []:
        if note.get("note") in situation.stored.notes:
            yield finding(kind, item, "E1119", note["note"])


def check_geometry(kind: Kind, item: Members, feature_type: str | None) -> Iterator[Finding]:
    """Refuse a geometry of another type than the program or stage has (tracker-api 5)."""
    geometry = item.get("geometry")
    if not geometry:
        return
    if feature_type is None:
        yield finding(kind, item, "E1074")
    elif str(geometry.get("type", "")).upper() != feature_type.replace("_", ""):
        yield finding(kind, item, "E1012", feature_type)
