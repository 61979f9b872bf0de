"""The swapping: how do two people come to have each other's unique value?

The destination refuses both, whoever goes first. So one of them gives up the old value,
which frees it for the other; it gets it back if that was in vain.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from dhis2_api.errors import RequestRefused
from dhis2_api.export import MOST_UIDS
from dhis2_api.importer import import_objects
from tracker_sync.again import Again
from tracker_sync.objects import Tree, as_bundles, trees_of
from tracker_sync.people import read_people
from tracker_sync.projection import Projection
from tracker_sync.steps.after_slices import AfterSlices
from tracker_sync.tables import flatten
from tracker_sync.unique_values import unique_digests


_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Given:
    """A unique value that somebody had at the destination and gave up.

    Attributes:
        person: Who had it, as the destination held them.
        attribute: The attribute.
        value: What to give back.
    """

    person: Tree
    attribute: str
    value: str = field(repr=False)


@dataclass(slots=True)
class Swapping:
    """The values that were given up in a second pass.

    Attributes:
        after: What every phase works with.
        slices: Who is stuck.
        secret: The key of the digests.
        given: What was given up by now.
        asked: Who was asked to give something up, in vain or not.
    """

    after: AfterSlices
    slices: Sequence[Again]
    secret: bytes
    given: list[Given] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)

    def give_up(self) -> bool:
        """Have somebody give up a value that another waits for; return whether one did.

        Raises:
            TransientError: The outcome is unknown; the phase finds out when it is tried again.
        """
        for given in () if self.after.destination.dry_run else self._wanted_by_others():
            self.asked.add(given.person.uid)
            if self._set(given, None):
                _log.info("%s gives up %s for a while", given.person.uid, given.attribute)
                self.given.append(given)
                return True
        return False

    def give_back(self) -> None:
        """Give those who are still refused what they had, unless another has it by now."""
        stuck = self._stuck()
        for given in self.given:
            if given.person.uid in stuck:
                self._set(given, given.value)

    def _stuck(self) -> dict[str, Collection[bytes]]:
        """Return who waits for which values."""
        return {uid: piece.digests[uid] for piece in self.slices for uid in piece.trees}

    def _wanted_by_others(self) -> Iterator[Given]:
        stuck = {uid: wanted for uid, wanted in self._stuck().items() if wanted}
        everything = Counter(digest for wanted in stuck.values() for digest in wanted)
        for person in people_at(self.after, stuck.keys() - self.asked):
            held = unique_digests(person, self.after.model, self.secret)
            for digest in held.keys() - {*stuck[person.uid]}:
                if everything[digest]:
                    yield Given(person, held[digest], value_of(person, held[digest]))

    def _set(self, given: Given, value: str | None) -> bool:
        """Write one attribute of a person and nothing else; it is refused where it is mandatory."""
        person = json.loads(given.person.objects[0].content or "{}")
        person["attributes"] = [{"attribute": given.attribute, "value": value}]
        self.after.destination.before_write()
        try:
            report = import_objects(self.after.destination.client, {"trackedEntities": [person]})
        except RequestRefused as refusal:
            _log.warning("%s: %s", given.person.uid, refusal)
            return False
        return given.person.objects[0].ref in report.stored


def people_at(after: AfterSlices, people: Collection[str]) -> Iterator[Tree]:
    """Yield those of *people* who live at the destination, as it holds them."""
    projection = Projection.of(after.model)
    for batch in read_people(after.destination.client, sorted(people), MOST_UIDS):
        tables = flatten(batch.rows, after.destination.programs)
        living = (tree for tree in trees_of(as_bundles(tables, projection)))
        yield from (tree for tree in living if not tree.objects[0].deleted)


def value_of(person: Tree, attribute: str) -> str:
    """Return what a person has of an attribute."""
    contents = (json.loads(item.content or "{}") for item in person.objects)
    rows = (row for content in contents for row in content.get("attributes") or ())
    return str(next(row["value"] for row in rows if row["attribute"] == attribute))
