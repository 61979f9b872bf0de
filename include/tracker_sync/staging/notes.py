"""The staged notes: which notes were read, and whose each is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from dhis2_api.importer import Ref
from tracker_sync.staging.tables import Tables


@dataclass(frozen=True, slots=True)
class Note:
    """A note as it was read.

    Attributes:
        ref: The note, of the kind `NOTE`.
        holder: The enrollment or event it is about.
        tracked_entity: The person that belongs to; nobody for an event without registration.
        text: What it says.
        stored_at: When the source stored it, by its zone-less clock.
        program: The program without registration that its event is of at the destination;
            empty for a person's.
    """

    ref: Ref
    holder: Ref
    tracked_entity: str | None
    text: str = field(repr=False)
    stored_at: datetime | None = None
    program: str = ""


def staged_notes(tables: Tables, program: str) -> list[Note]:
    """Return the notes of staged tables, each once; one that says nothing is none.

    DHIS2 drops such a one when it is sent (tracker-api 4).

    Args:
        tables: What was read.
        program: The program without registration whose events they are; empty for people.
    """
    notes = {row["note"]: row for row in tables["notes"].to_pylist() if row["value"]}
    return [
        Note(
            Ref("NOTE", uid),
            Ref("EVENT", row["event"]) if row["event"] else Ref("ENROLLMENT", row["enrollment"]),
            row["trackedEntity"],
            row["value"],
            row["storedAt"],
            program,
        )
        for uid, row in notes.items()
    ]
