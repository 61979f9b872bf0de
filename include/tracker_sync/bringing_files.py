"""Bringing files: the bytes behind values are at the destination before the values come."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

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
from tracker_sync.file_values import Files, FileValue
from tracker_sync.objects import Object, Tree
from tracker_sync.outcome import Entry, Outcome
from tracker_sync.plan import PARENT_REFUSED, Past


if TYPE_CHECKING:  # it loads, and so brings
    from tracker_sync.loading import Destination

NOT_AT_SOURCE = "SYNC_FILE_NOT_AT_SOURCE"
REFUSED = "SYNC_FILE_REFUSED"
ANOTHER = "SYNC_FILE_IS_ANOTHER"

# What may be the matter with one file: its neighbours go. A proxy's page says a file is too large.
_ONE_FILES = (RequestRefused, Unauthorized, UnexpectedAnswer)

_log = logging.getLogger(__name__)


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
        """Return the line of each file, given the lines of what has them."""
        return [
            self._line(value, lines[value.holder]) for value in self.values if value.holder in lines
        ]

    def _line(self, value: FileValue, holder: Entry) -> Entry:
        sent = value.ref in self.uploaded
        alone = None if value.tracked_entity else value.holder.uid
        line = Entry(
            value.ref, value.tracked_entity, Outcome.UNCHANGED, sent=sent, lone_event=alone
        )
        if value.ref in self.refused:
            code = self.refused[value.ref]
            return replace(line, outcome=Outcome.REFUSED, code=code, known=holder.known)
        if holder.outcome is Outcome.REFUSED:
            known = holder.known
            return replace(line, outcome=Outcome.REFUSED, code=PARENT_REFUSED, known=known)
        if holder.outcome is Outcome.STORED and sent:
            return replace(line, outcome=Outcome.STORED, action="created")
        kept = {Outcome.STORED, Outcome.UNCHANGED}
        outcome = Outcome.UNCHANGED if holder.outcome in kept else holder.outcome
        return replace(line, outcome=outcome, code=holder.code)


def bring(destination: Destination, trees: Sequence[Tree], past: Past) -> Brought:
    """Upload the files that values of a batch name and the destination lacks, under their UIDs.

    Looked at is only what is new, changed or refused since an earlier run: a file never
    changes, another one has another UID (tracker-api 6).

    Raises:
        TransientError: A server stopped answering; a second try uploads nothing twice.
    """
    brought = Brought([*trees])
    files = destination.files
    if files and not destination.dry_run:
        brought.trees = [_with_files(destination, files, tree, past, brought) for tree in trees]
    return brought


def _with_files(there: Destination, files: Files, tree: Tree, past: Past, brought: Brought) -> Tree:
    objects = [_looked_at(there, files, item, past, brought) for item in tree.objects]
    return replace(tree, objects=tuple(objects)) if [*tree.objects] != objects else tree


def _looked_at(
    there: Destination, files: Files, item: Object, past: Past, brought: Brought
) -> Object:
    # A value that the route's mapping drops is not in the content any more.
    values = [v for v in files.values.get(item.ref, ()) if v.ref.uid in (item.content or "")]
    brought.values += values
    known = past.known.get(item.ref)
    if known and not known.refused and known.content_hash == item.content_hash:
        return item
    codes = [_brought(there, files.source, value, brought) for value in values]
    code = next(filter(None, codes), None)
    return replace(item, content=None, completed_at=None, code=code) if code else item


def _brought(
    there: Destination, source: Dhis2Client, value: FileValue, brought: Brought
) -> str | None:
    """Upload a file unless it is there; return why that can't be."""
    code = _failing(there, source, value, brought)
    if code:
        brought.refused[value.ref] = code
    return code


def _failing(
    there: Destination, source: Dhis2Client, value: FileValue, brought: Brought
) -> str | None:
    try:
        held = digest_of(there.client, value.ref.uid)
        if held:
            return None if digest_of(source, value.ref.uid) in {None, held} else ANOTHER
        file = _read(source, value)
    except _ONE_FILES as error:
        _log.warning("FILE %s: %s", value.ref.uid, error)
        return NOT_AT_SOURCE
    there.before_write()
    try:
        upload_file(there.client, file)
    except _ONE_FILES as error:
        _log.warning("FILE %s: %s", value.ref.uid, error)
        return REFUSED
    brought.uploaded.add(value.ref)
    return None


def _read(source: Dhis2Client, value: FileValue) -> File:
    uid, holder = value.ref.uid, value.holder
    if holder.kind == "EVENT":
        return read_event_file(source, uid, holder.uid, value.named_by)
    owner = AttributeOfPerson(holder.uid, value.named_by, value.program)
    return read_attribute_file(source, uid, owner, image=value.image)
