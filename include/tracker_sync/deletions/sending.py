"""The deletion: objects go at the destination, children first, a batch at a time."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence

from dhis2_api.errors import PermanentError
from dhis2_api.importer import CHILDREN_FIRST, Ref
from tracker_sync.sending.destination import Destination
from tracker_sync.sending.halving import code_at_fault, in_halves


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
            refused |= _deleted(destination, of_kind[start : start + at_once])
    return refused


def _deleted(destination: Destination, refs: Sequence[Ref]) -> dict[Ref, str]:
    def send(some: Sequence[Ref]) -> dict[Ref, str]:
        destination.before_write()
        report = destination.posting.delete(destination.client, some)
        _log.info("%s deleted, %s refused", len(report.stored), len(report.refused))
        return {ref: codes[0] for ref, codes in report.refused.items()}

    def alone(ref: Ref, refusal: PermanentError) -> dict[Ref, str]:
        destination.before_write()
        return {ref: code_at_fault(destination.client, refusal)}

    found = destination.again("deleting", lambda: in_halves(refs, send, alone))
    return {ref: code for part in found for ref, code in part.items()}
