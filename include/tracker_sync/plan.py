"""The plan: which objects of a tree are sent, and why the others are not.

A plan is a value, made from what was staged, what the destination holds and what
earlier runs met; nothing is sent while it is made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from dhis2_api.importer import Ref
from tracker_sync.codes import can_heal
from tracker_sync.content import VALUES_KEY, content_hash, each_object, scalars, values
from tracker_sync.metadata.model import Model
from tracker_sync.outcome import Entry, Outcome
from tracker_sync.own_attributes import with_own_attributes
from tracker_sync.projection import Payload
from tracker_sync.trees import Kind, Tree


BURNED: Mapping[Kind, str] = {"TRACKED_ENTITY": "E1114", "ENROLLMENT": "E1113", "EVENT": "E1082"}
PARENT_REFUSED = "E5000"
DELETED_AT_SOURCE = "SYNC_DELETE_HELD"


@dataclass(frozen=True, slots=True)
class Known:
    """What earlier runs know of an object.

    Attributes:
        read_number: The number of the read that its version came with.
        content_hash: The content of that version.
        model_hash: The programs' metadata at that time.
        refused: The code it was refused with, unless it was stored.
    """

    read_number: int
    content_hash: str | None
    model_hash: str
    refused: str | None


@dataclass(frozen=True, slots=True)
class Past:
    """What a plan rests on beside the two servers.

    Attributes:
        known: What other runs know, by object.
        read_number: The number of the read that this plan's trees came with. No clock: a
            worker's may be ahead; the source's goes back, and its stamps do not move with
            a person's attribute.
        model: The programs' metadata; with another one a refused object is tried again.
    """

    known: Mapping[Ref, Known]
    read_number: int
    model: Model


@dataclass(frozen=True, slots=True)
class Planned:
    """One object of a plan.

    Attributes:
        entry: Its line in the ledger as it stands before anything is sent; `known` with
            a `code` where the same content was refused so before.
        payload: What is to be sent, flat; nothing if it is not.
        parent: What it belongs to.
    """

    entry: Entry
    payload: Payload | None
    parent: Ref | None = None


def plan(tree: Tree, held: Tree | None, past: Past) -> list[Planned]:
    """Return what is to become of each object of a person, parents first; or of a lone event.

    Args:
        tree: The person, or the event without registration, as staged.
        held: The same as the destination holds it; nothing if it doesn't.
        past: What earlier runs met, and the model.
    """
    theirs = with_own_attributes(held, past.model) if held else None
    return [*_Planner(with_own_attributes(tree, past.model), theirs, past).objects()]


class _Planner:
    """Walks one tree from the top, knowing which parents are not there."""

    def __init__(self, tree: Tree, held: Tree | None, past: Past) -> None:
        self._tree = tree
        self._past = past
        theirs = {Ref(v.kind, v.uid): v for v in held.versions} if held else {}
        self._held = {ref: payload for ref, payload, _ in each_object(held)} if held else {}
        self._burned = {ref for ref, version in theirs.items() if version.deleted}
        self._entries = {
            (ref := Ref(v.kind, v.uid)): Entry(
                ref,
                tree.tracked_entity,
                Outcome.UNCHANGED,
                updated_at=v.updated_at,
                destination_updated_at=theirs[ref].updated_at if ref in theirs else None,
            )
            for v in tree.versions
        }
        self._absent: set[Ref] = set()

    def objects(self) -> Iterator[Planned]:
        for ref, (payload, parent) in self._live().items():
            planned = replace(self._object(ref, payload, parent), parent=parent)
            if planned.payload is None and ref not in self._held:
                self._absent.add(ref)
            yield planned
        yield from self._tombstones()

    def _live(self) -> Mapping[Ref, tuple[Payload, Ref | None]]:
        """Return what lives at the source, each object once: twice in a request loses it."""
        return {ref: (payload, parent) for ref, payload, parent in each_object(self._tree)}

    def _tombstones(self) -> Iterator[Planned]:
        """Hold what is deleted at the source and lives at the destination; else both lack it."""
        for version in self._tree.versions:
            ref = Ref(version.kind, version.uid)
            entry = self._entries[ref]
            if version.deleted and ref in self._held:
                yield Planned(replace(entry, outcome=Outcome.HELD, code=DELETED_AT_SOURCE), None)
            elif version.deleted:
                yield Planned(entry, None)

    def _object(self, ref: Ref, payload: Payload, parent: Ref | None) -> Planned:
        kind: Kind = ref.kind  # type: ignore[assignment]  # a Ref of ours names our kinds
        entry = replace(self._entries[ref], content_hash=content_hash(kind, payload))
        known = self._past.known.get(ref)
        if known and known.read_number > self._past.read_number:
            return Planned(replace(entry, outcome=Outcome.SUPERSEDED), None)
        if ref in self._burned:
            return _refused(entry, BURNED[kind], known=bool(known and known.refused))
        if parent in self._absent:
            return _refused(entry, PARENT_REFUSED, known=bool(known and known.refused))
        held = self._held.get(ref)
        to_send = payload if held is None else self._difference(kind, payload, held)
        if to_send is None:
            return Planned(entry, None)
        if known and known.refused and known.content_hash == entry.content_hash:
            entry = replace(entry, known=True, code=known.refused)
            if known.model_hash == self._past.model.hash and not can_heal(known.refused):
                return Planned(replace(entry, outcome=Outcome.REFUSED), None)
        action = "created" if held is None else "changed"
        return Planned(replace(entry, action=action, outcome=Outcome.MISSING, sent=True), to_send)

    def _difference(self, kind: Kind, payload: Payload, held: Payload) -> Payload | None:
        """Return what makes the destination equal, or nothing if it is."""
        ours, theirs = values(kind, payload), values(kind, held)
        name, key = VALUES_KEY[kind]
        clearable = _clearable(self._past.model, kind, payload)
        cleared = sorted((theirs.keys() - ours.keys()) & clearable)
        kept = {uid: item for uid, item in theirs.items() if uid in ours}
        if not cleared and kept == ours and scalars(payload) == scalars(held):
            return None
        return {**payload, name: [*payload[name], *({key: uid, "value": None} for uid in cleared)]}


def _clearable(model: Model, kind: Kind, payload: Payload) -> frozenset[str]:
    """Return the values whose absence at the source means *empty*: its model has them."""
    if kind == "TRACKED_ENTITY":
        return model.type_attributes.get(payload["trackedEntityType"], frozenset())
    if kind == "ENROLLMENT":
        return model.program_attributes.get(payload["program"], frozenset())
    return model.stage_elements.get(payload["programStage"], frozenset())


def _refused(entry: Entry, code: str | None, *, known: bool) -> Planned:
    return Planned(replace(entry, outcome=Outcome.REFUSED, code=code, known=known), None)
