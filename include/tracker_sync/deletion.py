"""The deletion: objects go at the destination, children first, a batch at a time."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from dhis2_api.errors import RequestRefused, TransientError
from dhis2_api.importer import Ref, import_objects
from tracker_sync.delivery import REQUEST_REFUSED
from tracker_sync.loading import Destination


# What hangs below a deleted object goes with it, or refuses its deletion (tracker-api 4).
CHILDREN_FIRST = ("RELATIONSHIP", "EVENT", "ENROLLMENT", "TRACKED_ENTITY")

_log = logging.getLogger(__name__)


def delete_all(destination: Destination, refs: Collection[Ref], at_once: int) -> dict[Ref, str]:
    """Delete objects at the destination, and return those it refuses, each with its code.

    What is there no more counts as deleted; so nothing is harmed if they are sent again.

    Args:
        destination: The server that is written to.
        refs: What to delete.
        at_once: How many go into one request.

    Raises:
        TransientError: It did not answer, time after time; some may be deleted.
        RequestRefused: It takes no imports at all.
    """
    refused: dict[Ref, str] = {}
    for kind in CHILDREN_FIRST:
        of_kind = sorted(ref for ref in refs if ref.kind == kind)
        for start in range(0, len(of_kind), at_once):
            refused |= _Batch(destination, of_kind[start : start + at_once]).deleted()
    return refused


@dataclass(frozen=True, slots=True)
class _Batch:
    destination: Destination
    refs: Sequence[Ref]

    def deleted(self) -> dict[Ref, str]:
        """Delete them, again after an unknown outcome: deleting twice does no harm."""
        for pause in self.destination.pauses:
            try:
                return self._send(self.refs)
            except TransientError as error:
                _log.warning("outcome unknown, deleting again in %g s: %s", pause, error)
                time.sleep(pause)
        return self._send(self.refs)

    def _send(self, refs: Sequence[Ref]) -> dict[Ref, str]:
        """Send one request; one that is refused as a whole is halved down to who is at fault."""
        self.destination.before_write()
        try:
            report = self.destination.posting.delete(self.destination.client, refs)
        except RequestRefused as refusal:
            if len(refs) == 1:
                return {refs[0]: self._fault(refusal)}
            middle = len(refs) // 2
            return self._send(refs[:middle]) | self._send(refs[middle:])
        _log.info("%s deleted, %s refused", len(report.stored), len(report.refused))
        return {ref: codes[0] for ref, codes in report.refused.items()}

    def _fault(self, refusal: RequestRefused) -> str:
        """Return the code of one object alone: a server in good health takes an empty request.

        Raises:
            TransientError: The server is ill; nothing is known about the object.
            RequestRefused: It takes no imports at all.
        """
        self.destination.before_write()
        try:
            import_objects(self.destination.client, {})
        except RequestRefused as illness:
            if illness.status < 500:
                raise
            raise TransientError(f"{refusal}, and it refuses an empty request too") from None
        return refusal.code or REQUEST_REFUSED
