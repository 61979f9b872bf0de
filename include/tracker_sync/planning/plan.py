"""The plan: which objects of a tree are sent, and why the others are not.

A plan is a value, made from what was staged, what the destination holds and what
earlier runs met; nothing is sent while it is made. Comparing is comparing texts: only
an object that differs is looked into.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from dhis2_api.importer import Ref
from tracker_sync.codes import can_heal
from tracker_sync.deletions.waiting import HELD
from tracker_sync.mapping.reasons import outcome_of
from tracker_sync.metadata.model import Model
from tracker_sync.outcome import Entry, Outcome
from tracker_sync.planning.difference import import_text, new_text
from tracker_sync.planning.objects import Object, Tree
from tracker_sync.sending.destination import Edits


BURNED: Mapping[str, str] = {"TRACKED_ENTITY": "E1114", "ENROLLMENT": "E1113", "EVENT": "E1082"}
PARENT_REFUSED = "E5000"
EDITED_THERE = "SYNC_DESTINATION_EDITED"


@dataclass(frozen=True, slots=True)
class Known:
    """What earlier runs know of an object.

    Attributes:
        read_number: The number of the read that its version came with.
        content_hash: The content of that version.
        model_hash: The programs' metadata at that time.
        refused: The code it was refused with, unless it was stored.
        destination_updated_at: The destination's stamp of it after our last write.
        written: The content that an earlier try of this run left there, or was about to.
    """

    read_number: int
    content_hash: str | None
    model_hash: str
    refused: str | None
    destination_updated_at: datetime | None = None
    written: str | None = None


@dataclass(frozen=True, slots=True)
class Past:
    """What a plan rests on beside the two servers.

    Attributes:
        known: What other runs know, by object.
        read_number: The number of the read that this plan's trees came with. No clock: a
            worker's may be ahead; the source's goes back, and its stamps do not move with
            a person's attribute.
        model: The programs' metadata; with another one a refused object is tried again.
        edits: What becomes of an object that somebody changed at the destination.
    """

    known: Mapping[Ref, Known]
    read_number: int
    model: Model
    edits: Edits = "overwrite"


class Planned(NamedTuple):
    """One object of a plan.

    Attributes:
        entry: Its line in the ledger as it stands before anything is sent; `known` with
            a `code` where the same content was refused so before.
        text: What is to be sent, flat import JSON; nothing if it is not.
        parent: What it belongs to.
        held: What the destination holds of it.
    """

    entry: Entry
    text: str | None = None
    parent: Ref | None = None
    held: Object | None = None

    def __repr__(self) -> str:
        """Return what becomes of which object, and nothing that it says of a patient."""
        return f"Planned({self.entry})"

    @property
    def payload(self) -> dict[str, Any] | None:
        """The text, parsed."""
        return None if self.text is None else json.loads(self.text)


def plan(tree: Tree, held: Tree | None, past: Past) -> list[Planned]:
    """Return what is to become of each object of a person, parents first; or of a lone event.

    Args:
        tree: The person, or the event without registration, as staged.
        held: The same as the destination holds it; nothing if it doesn't.
        past: What earlier runs met, and the model.
    """
    if held is None and not past.known:
        planned = _all_new(tree)
        if len(planned) == len(tree.objects):
            return planned
    return [*_Planner(tree, held, past).objects()]


def _all_new(tree: Tree) -> list[Planned]:
    """Return the plan of a tree that nobody has seen; of less than all, if not all just goes.

    What `_Planner` says of these at a third of its time: a first run has no others.
    """
    once = {
        each.ref: each
        for each in tree.objects
        if each.content is not None and each.code is None and not each.deleted
    }
    return [
        _PLANNED(
            (
                _ENTRY(
                    (
                        each.ref,
                        tree.tracked_entity,
                        *_CREATED,
                        each.updated_at,
                        each.content_hash,
                        *_UNTOLD,
                    )
                ),
                each.content if each.beside is None else new_text(each),
                each.parent,
                None,
            )
        )
        for each in once.values()
    ]


_ENTRY: Callable[[Iterable[Any]], Entry] = partial(tuple.__new__, Entry)
_PLANNED: Callable[[Iterable[Any]], Planned] = partial(tuple.__new__, Planned)
_SENT = Entry(Ref("", ""), None, Outcome.MISSING, action="created", sent=True)
_CREATED = _SENT[2 : Entry._fields.index("updated_at")]
_UNTOLD = _SENT[Entry._fields.index("destination_updated_at") :]


class _Planner:
    """Walks one tree from the top, knowing which parents are not there."""

    def __init__(self, tree: Tree, held: Tree | None, past: Past) -> None:
        self._tree = tree
        self._past = past
        self._held = {each.ref: each for each in held.objects} if held else {}
        self._absent: set[Ref] = set()

    def objects(self) -> Iterator[Planned]:
        # Each object once: twice in a request loses it.
        for each in {each.ref: each for each in self._tree.objects}.values():
            held = self._held.get(each.ref)
            planned = self._object(each, held)
            if planned.text is None and (held is None or held.deleted):
                self._absent.add(each.ref)
            yield planned

    def _object(self, each: Object, held: Object | None) -> Planned:
        known = self._past.known.get(each.ref)
        line = self._line(each, held)
        if known and known.read_number > self._past.read_number and not each.deleted:
            return Planned(line.but(outcome=Outcome.SUPERSEDED), None, each.parent, held)
        code = self._refused(each, held)
        if code:
            again = bool(known and known.refused and code in {known.refused, PARENT_REFUSED})
            refused = line.but(outcome=outcome_of(code), code=code, known=again)
            return Planned(refused, None, each.parent, held)
        if each.deleted or each.content is None:
            return Planned(_deleted(line, held), None, each.parent, held)
        same = held is not None and held.content == each.content
        text = None if same else import_text(each, held, self._past.model, self._enrolled(each))
        if text is not None:
            line = self._to_send(line, held, known)
        return Planned(line, text if line.sent else None, each.parent, held)

    def _enrolled(self, each: Object) -> frozenset[str]:
        """Return the programs a person is enrolled in, if it is one and they may show files."""
        if each.ref.kind != "TRACKED_ENTITY" or not self._past.model.files:
            return frozenset()
        below = (item for item in self._tree.objects if item.ref.kind == "ENROLLMENT")
        return frozenset(json.loads(item.content)["program"] for item in below if item.content)

    def _line(self, each: Object, held: Object | None) -> Entry:
        return Entry(
            each.ref,
            self._tree.tracked_entity,
            Outcome.UNCHANGED,
            updated_at=each.updated_at,
            content_hash=each.content_hash,
            destination_updated_at=held.updated_at if held else None,
        )

    def _refused(self, each: Object, held: Object | None) -> str | None:
        """Return why an object cannot be sent at all, if so."""
        if each.code or each.deleted:
            return each.code
        if held is not None and held.deleted:
            return BURNED[each.ref.kind]
        return PARENT_REFUSED if each.parent in self._absent else None

    def _to_send(self, line: Entry, held: Object | None, known: Known | None) -> Entry:
        """Return the line of what differs: sent, unless what earlier runs met speaks against it."""
        if known and held and self._past.edits != "overwrite" and _edited(held, known):
            return self._kept(line, known)
        if known and known.refused and known.content_hash == line.content_hash:
            line = line.but(known=True, code=known.refused)
            if known.model_hash == self._past.model.hash and not can_heal(known.refused):
                return line.but(outcome=Outcome.REFUSED)
        action = "created" if held is None else "changed"
        return line.but(action=action, outcome=Outcome.MISSING, sent=True)

    def _kept(self, line: Entry, known: Known) -> Entry:
        """Return the line of what was edited there; it keeps the stamp of our last write."""
        return line.but(
            outcome=Outcome.HELD if self._past.edits == "keep" else Outcome.REFUSED,
            code=EDITED_THERE,
            known=known.refused == EDITED_THERE,
            destination_updated_at=known.destination_updated_at,
        )


def _deleted(line: Entry, held: Object | None) -> Entry:
    """Hold what is deleted at the source and lives at the destination; else both lack it."""
    if held is None or held.deleted:
        return line
    return line.but(outcome=Outcome.HELD, code=HELD)


def _edited(held: Object, known: Known) -> bool:
    """Whether somebody changed what our last write left.

    A stamp alone moves with a relationship or an object below (measured: Clock).
    """
    moved = known.destination_updated_at not in {None, held.updated_at}
    return moved and held.content_hash not in {known.content_hash, known.written}
