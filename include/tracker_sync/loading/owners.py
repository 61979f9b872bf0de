"""The owners: which org unit each person belongs to in each program, at both servers."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from dhis2_api.client import Dhis2Client
from dhis2_api.export import MOST_UIDS
from dhis2_api.importer import Ref
from tracker_sync.mapping.mapped_tables import Mapped
from tracker_sync.outcome import Outcome
from tracker_sync.planning.plan import EDITED_THERE, Known
from tracker_sync.reading.people import Wanted, read_wanted
from tracker_sync.state.fold import fold, is_refused
from tracker_sync.state.lines import among, texts


KIND = "OWNER"

_OWNER = pa.struct([("program", pa.string()), ("orgUnit", pa.string())])
_ROW = pa.struct(
    [
        ("trackedEntity", pa.string()),
        ("deleted", pa.bool_()),
        ("programOwners", pa.list_(_OWNER)),
    ]
)
_OWNERS = Wanted("trackedEntities", "trackedEntity,deleted,programOwners[program,orgUnit]", _ROW)


@dataclass(frozen=True, slots=True)
class Owner:
    """Whom a person belongs to in a program, in the destination's names.

    Attributes:
        tracked_entity: The person.
        program: The program.
        org_unit: The owner; nothing where the mapping does not let it pass.
        enrolled: Whether the source has the person enrolled there, alive. An owner stays
            when the enrollment is deleted (measured: Flows).
        born: The org unit of the first of those enrollments, which makes the owner.
        code: Why the mapping does not let it pass, if it doesn't.
    """

    tracked_entity: str
    program: str
    org_unit: str | None
    enrolled: bool
    code: str | None = None
    born: str | None = None

    @property
    def ref(self) -> Ref:
        """The owner as an object of the ledger."""
        return owner_ref(self.tracked_entity, self.program)

    @property
    def content_hash(self) -> str | None:
        """A hash that differs whenever the org unit does."""
        return _hash(self.org_unit) if self.org_unit else None


def owner_ref(tracked_entity: str, program: str) -> Ref:
    """Return the object of the ledger that stands for a person's owner in a program."""
    return Ref(KIND, f"{tracked_entity}:{program}")


def owners_in(mapped: Mapped) -> Iterator[Owner]:
    """Yield the owners of the living people of a row group."""
    people, enrollments = mapped.tables["tracked_entities"], mapped.tables["enrollments"]
    living = {*people.filter(pc.invert(people["deleted"]))["trackedEntity"].to_pylist()}
    enrolled = _births(enrollments.filter(pc.invert(enrollments["deleted"])))
    for row in mapped.tables["owners"].to_pylist():
        person, program = row["trackedEntity"], row["program"]
        if person in living:
            born = enrolled.get((person, program))
            yield Owner(person, program, row["orgUnit"], born is not None, born=born)
    for ref, code in mapped.refused.items():
        person, _, program = ref.uid.partition(":")
        if ref.kind == KIND and person in living:
            yield Owner(person, program, None, (person, program) in enrolled, code)


def read_owners(client: Dhis2Client, people: Collection[str]) -> dict[Ref, str]:
    """Return the owners that a server has for living people, in all programs."""
    found: dict[Ref, str] = {}
    for batch in read_wanted(client, _OWNERS, sorted(people), MOST_UIDS):
        for row in batch.rows.to_pylist():
            owners = [] if row["deleted"] else row["programOwners"] or []
            for owner in owners:
                found[owner_ref(row["trackedEntity"], owner["program"])] = owner["orgUnit"]
    return found


def known_owners(folder: Path, people: Collection[str], run: str) -> Mapping[Ref, Known]:
    """Return what is known of the owners of people, but for what *run* itself was refused.

    Args:
        folder: The state.
        people: The people.
        run: The folder name of the run that asks.
    """
    kind, theirs, own = texts([KIND]), texts(people), texts([run])

    def wanted(part: pa.Table) -> pa.ChunkedArray:
        asked = pc.and_(among(part["kind"], kind), among(part["tracked_entity"], theirs))
        return pc.and_not(asked, pc.and_(among(part["run"], own), is_refused(part)))

    columns = ("read_number", "content_hash", "model_hash", "outcome", "code")
    found = fold(folder, columns, wanted, ["tracked_entity"])
    return {
        ref: Known(number, content, model, code if outcome == Outcome.REFUSED else None)
        for ref, (number, content, model, outcome, code) in found.items()
    }


def _births(rows: pa.Table) -> dict[tuple[str, str], str]:
    """Return person and program -> where the first of the enrollments is."""
    names = ("trackedEntity", "program", "orgUnit")
    columns = (rows[name].to_pylist() for name in names)
    places: dict[tuple[str, str], str] = {}
    for person, program, place in zip(*columns, strict=True):
        places.setdefault((person, program), place)
    return places


def is_edited(known: Known | None, there: str) -> bool:
    """Whether somebody else gave a person to *there* at the destination since our last write.

    Args:
        known: What earlier runs came to. The hash of a line that is not refused is that of
            the owner we left, and so is that of one that was kept for being edited.
        there: The owner that the destination has.
    """
    if known is None or known.refused not in {None, EDITED_THERE}:
        return False
    return known.content_hash not in {None, _hash(there)}


def _hash(org_unit: str) -> str:
    return hashlib.sha256(org_unit.encode()).hexdigest()[:32]
