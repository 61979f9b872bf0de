"""Bringing files: the bytes behind values are at the destination before the values come."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from dhis2_api.client import Dhis2Client
from dhis2_api.errors import RequestRefused, Unauthorized, UnexpectedAnswer
from dhis2_api.files import (
    AttributeOfPerson,
    File,
    digest_of,
    read_attribute_file,
    read_event_file,
    upload_file,
)
from dhis2_api.importer import Ref
from tracker_sync.outcome import Entry, Outcome
from tracker_sync.planning.objects import Object, Tree
from tracker_sync.planning.plan import PARENT_REFUSED, Past
from tracker_sync.sending.destination import Destination
from tracker_sync.staging.file_values import FileValue


NOT_AT_SOURCE = "SYNC_FILE_NOT_AT_SOURCE"
REFUSED = "SYNC_FILE_REFUSED"
ANOTHER = "SYNC_FILE_IS_ANOTHER"

# What may be the matter with one file: its neighbours go. A proxy's page says a file is too large.
_ONE_FILES = (RequestRefused, Unauthorized, UnexpectedAnswer)

#: What became of a file, the best last: it is there if it came with one of those who name it.
FILE_RANKS = (
    Outcome.SUPERSEDED,
    Outcome.HELD,
    Outcome.MISSING,
    Outcome.REFUSED,
    Outcome.UNCHANGED,
    Outcome.STORED,
)

#: Says which objects of some people or events would be sent.
ToSend = Callable[[Sequence[Tree]], Collection[Ref]]

_log = logging.getLogger(__name__)


def _nothing(_: Sequence[Tree]) -> Collection[Ref]:
    """Say that nothing would be sent of what earlier runs brought."""
    return ()


@dataclass(slots=True)
class Brought:
    """What bringing the files of a batch came to.

    Attributes:
        trees: The batch; an object whose file can't be had has a code and no content.
        values: The values that name files, of objects that are sent or compared.
        uploaded: The files that were uploaded.
        refused: File -> why the destination has it not.
    """

    trees: list[Tree]
    values: list[FileValue] = field(default_factory=list)
    uploaded: set[Ref] = field(default_factory=set)
    refused: dict[Ref, str] = field(default_factory=dict)

    def lines(self, lines: Mapping[Ref, Entry]) -> list[Entry]:
        """Return the line of each file, given the lines of what has them.

        Of a file that several have it is the best: then it is there.
        """
        found: dict[Ref, Entry] = {}
        for value in self.values:
            if value.holder in lines:
                line = self._line(value, lines[value.holder])
                found[value.ref] = max(found.get(value.ref, line), line, key=_rank)
        return [*found.values()]

    def _line(self, value: FileValue, holder: Entry) -> Entry:
        sent = value.ref in self.uploaded
        alone = None if value.tracked_entity else value.holder.uid
        line = Entry(
            value.ref, value.tracked_entity, Outcome.UNCHANGED, sent=sent, lone_event=alone
        )
        if value.ref in self.refused:
            code = self.refused[value.ref]
            return line.but(outcome=Outcome.REFUSED, code=code, known=holder.known)
        if holder.outcome is Outcome.REFUSED:
            known = holder.known
            return line.but(outcome=Outcome.REFUSED, code=PARENT_REFUSED, known=known)
        if holder.outcome is Outcome.STORED and sent:
            return line.but(outcome=Outcome.STORED, action="created")
        kept = {Outcome.STORED, Outcome.UNCHANGED}
        outcome = Outcome.UNCHANGED if holder.outcome in kept else holder.outcome
        return line.but(outcome=outcome, code=holder.code)


def bring(
    destination: Destination, trees: Sequence[Tree], past: Past, to_send: ToSend = _nothing
) -> Brought:
    """Upload the files that values of a batch name and the destination lacks, under their UIDs.

    Looked at is only what is new, changed or refused since an earlier run, and what would be
    sent again, as to a destination that was restored from a backup: a file never changes,
    another one has another UID (tracker-api 6). In a dry run nothing is uploaded, and
    `uploaded` are those that would be.

    Raises:
        TransientError: A server stopped answering; a second try uploads nothing twice.
    """
    brought = Brought([*trees])
    if destination.source and destination.files:
        seen = [tree for tree in trees if _has_brought(tree, destination, past)]
        again = to_send(seen) if seen else ()
        bringing = _Bringing(destination, destination.source, past, brought, again)
        brought.trees = [bringing.tree(tree) for tree in trees]
    return brought


@dataclass(frozen=True, slots=True)
class _Bringing:
    there: Destination
    source: Dhis2Client
    past: Past
    brought: Brought
    again: Collection[Ref]

    def tree(self, tree: Tree) -> Tree:
        objects = tuple(self._object(item) for item in tree.objects)
        return replace(tree, objects=objects) if objects != tree.objects else tree

    def _object(self, item: Object) -> Object:
        # A value that the route's mapping drops is not in the content any more.
        named = self.there.files.get(item.ref, ())
        values = [value for value in named if value.ref.uid in (item.content or "")]
        self.brought.values += values
        if _came_before(item, self.past) and item.ref not in self.again:
            return item
        failing = {value.ref: code for value in values if (code := self._failing(value))}
        for value in values:
            self.brought.refused.pop(value.ref, None)  # another's value may have led to it
        self.brought.refused |= failing
        code = next(iter(failing.values()), None)
        return item._replace(content=None, beside=None, code=code) if code else item

    def _failing(self, value: FileValue) -> str | None:
        """Upload a file unless it is there; return why that can't be."""
        uid = value.ref.uid
        if value.ref in self.brought.uploaded:
            return None
        try:
            held = digest_of(self.there.client, uid)
            if held:
                return None if digest_of(self.source, uid) in {None, held} else ANOTHER
            if self.there.dry_run:
                return self._would_upload(value)
            file = _read(self.source, value)
        except _ONE_FILES as error:
            _log.warning("FILE %s: %s", uid, error)
            return NOT_AT_SOURCE
        self.there.before_write()
        try:
            upload_file(self.there.client, file)
        except _ONE_FILES as error:
            _log.warning("FILE %s: %s", uid, error)
            return REFUSED
        self.brought.uploaded.add(value.ref)
        return None

    def _would_upload(self, value: FileValue) -> str | None:
        if digest_of(self.source, value.ref.uid) is None:
            return NOT_AT_SOURCE
        self.brought.uploaded.add(value.ref)
        return None


def _came_before(item: Object, past: Past) -> bool:
    """Whether an earlier run left an object there as it is now, with its files."""
    known = past.known.get(item.ref)
    return bool(known and not known.refused and known.content_hash == item.content_hash)


def _has_brought(tree: Tree, there: Destination, past: Past) -> bool:
    """Whether an earlier run brought files of a person or event."""
    return any(item.ref in there.files and _came_before(item, past) for item in tree.objects)


def _rank(line: Entry) -> int:
    return FILE_RANKS.index(line.outcome)


def _read(source: Dhis2Client, value: FileValue) -> File:
    uid, holder = value.ref.uid, value.holder
    if holder.kind == "EVENT":
        return read_event_file(source, uid, holder.uid, value.named_by)
    owner = AttributeOfPerson(holder.uid, value.named_by, value.program)
    return read_attribute_file(source, uid, owner, image=value.image)
