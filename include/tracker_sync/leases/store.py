"""The lease store: where the generations of a route's lease are kept, a key each."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dhis2_api.client import Dhis2Client
from dhis2_api.data_store import create_value, delete_value, read_keys, read_value, replace_value
from dhis2_api.errors import RequestRefused
from dhis2_api.system import read_server
from tracker_sync.leases.record import LeaseRecord, Moment
from tracker_sync.windows.checkpoint import NAMESPACE


@dataclass(frozen=True, slots=True)
class LeaseStore:
    """The keys `lease-ROUTE-000001` and so on in a server's data store.

    Attributes:
        client: Speaks to the destination.
        route: The route's name.
    """

    client: Dhis2Client
    route: str

    def now(self) -> Moment:
        """Return the destination's clock."""
        return Moment.of(read_server(self.client))

    def highest(self) -> int:
        """Return the number of the generation that holds; 0 if there never was one."""
        return max(self._generations(), default=0)

    def read(self, generation: int) -> LeaseRecord | None:
        """Return a generation's record; nothing if there is none, or none any more."""
        key = self._key(generation)
        content = read_value(self.client, NAMESPACE, key)
        where = f"{self.client.name}: the data store's key `{key}` in `{NAMESPACE}`"
        return None if content is None else LeaseRecord.of(content, where)

    def create(self, generation: int, record: LeaseRecord) -> bool:
        """Begin a generation; return whether this made it, and no later one is there.

        One that comes after its successors were begun would find its number free again.
        """
        if not create_value(self.client, NAMESPACE, self._key(generation), record.as_json()):
            return False
        if self.highest() == generation:
            return True
        delete_value(self.client, NAMESPACE, self._key(generation))
        return False

    def replace(self, generation: int, record: LeaseRecord) -> bool:
        """Renew the record of a generation; return whether it was still there."""
        try:
            replace_value(self.client, NAMESPACE, self._key(generation), record.as_json())
        except RequestRefused as error:
            if error.status != 404:
                raise
            return False
        return True

    def forget_before(self, generation: int) -> None:
        """Remove the generations before one that holds."""
        for old in self._generations():
            if old < generation:
                delete_value(self.client, NAMESPACE, self._key(old))

    def _generations(self) -> list[int]:
        ours = re.compile(rf"lease-{re.escape(self.route)}-(\d{{6,}})")
        matches = map(ours.fullmatch, read_keys(self.client, NAMESPACE))
        return [int(match[1]) for match in matches if match]

    def _key(self, generation: int) -> str:
        return f"lease-{self.route}-{generation:06d}"
