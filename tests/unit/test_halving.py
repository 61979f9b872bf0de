"""However many objects a server refuses at once, who is at fault is found in few rounds."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, log2

from hypothesis import given
from hypothesis import strategies as st

from dhis2_api.errors import PermanentError, RequestRefused
from tracker_sync.sending.halving import in_halves


class Server:
    """Refuses each request that has something poisonous in it."""

    def __init__(self, poison: frozenset[int]) -> None:
        self.poison = poison
        self.requests: list[tuple[int, ...]] = []

    def send(self, items: Sequence[int]) -> tuple[int, ...]:
        self.requests.append(tuple(items))
        if self.poison.intersection(items):
            raise RequestRefused("refused", status=500)
        return tuple(items)

    def rounds_with(self, item: int) -> int:
        return sum(item in request for request in self.requests)


def at_fault(item: int, _: PermanentError) -> tuple[int, ...]:
    return (-item,)


@given(st.integers(1, 300), st.data())
def test_each_object_at_fault_stands_alone_after_at_most_log2_and_one_rounds(
    count: int, data: st.DataObject
) -> None:
    items = range(1, count + 1)
    poison = data.draw(st.frozensets(st.sampled_from(items), max_size=5))
    server = Server(poison)

    found = [item for part in in_halves(items, server.send, at_fault) for item in part]

    assert found == [-item if item in poison else item for item in items]
    assert all(server.rounds_with(item) <= ceil(log2(count)) + 1 for item in items)


def test_nothing_is_sent_of_nothing() -> None:
    server = Server(frozenset())

    assert in_halves((), server.send, at_fault) == []
    assert server.requests == []
