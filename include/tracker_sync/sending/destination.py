"""The destination: the server that is written to, and on what terms."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from dhis2_api.client import Dhis2Client
from dhis2_api.errors import TransientError
from tracker_sync.leases.lease import unguarded
from tracker_sync.outcome import Entry
from tracker_sync.sending.posting import Posting
from tracker_sync.staging.file_values import FileValues


Edits = Literal["overwrite", "keep", "report"]
AboutTo = Callable[[Iterable[Entry]], None]
Result = TypeVar("Result")

_log = logging.getLogger(__name__)


def told_to_nobody(_: Iterable[Entry]) -> None:
    """Let nobody know what is about to be sent."""


@dataclass(frozen=True, slots=True)
class Destination:
    """The server that is written to.

    Attributes:
        client: Speaks to it.
        programs: The programs that are compared; a person's others are not looked at.
        pauses: Seconds to wait before each further round after an unknown outcome.
        before_write: Called before each write request; raises if this run may not write any more.
        about_to: Told of each request before it is sent, what it is to leave of each object.
        source: The server that has the files which values name; without it none is brought.
        files: Those values, by what has them.
        dry_run: Whether nothing is written at all.
        edits: What becomes of an object that somebody changed there since our last write.
        writers: How many requests that write may be under way at once.
        posting: How import requests go out.
    """

    client: Dhis2Client
    programs: tuple[str, ...]
    pauses: tuple[float, ...] = (1.0, 5.0, 20.0)
    before_write: Callable[[], None] = unguarded
    about_to: AboutTo = told_to_nobody
    source: Dhis2Client | None = None
    files: FileValues = field(default_factory=dict)
    dry_run: bool = False
    edits: Edits = "overwrite"
    writers: int = 1
    posting: Posting = field(default_factory=Posting)

    def again(self, doing: str, attempt: Callable[[], Result]) -> Result:
        """Return what *attempt* returns, made again after each unknown outcome: no harm in that.

        Args:
            doing: What it does, for the log, e.g. `deleting`.
            attempt: What may be done twice.

        Raises:
            TransientError: The outcome is unknown after the last of `pauses`, too.
        """
        for pause in self.pauses:
            try:
                return attempt()
            except TransientError as error:
                _log.warning("outcome unknown, %s again in %g s: %s", doing, pause, error)
                time.sleep(pause)
        return attempt()
