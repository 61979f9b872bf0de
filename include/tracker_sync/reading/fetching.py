"""Fetching: several answers under way at once, given in the order they were asked for.

The threads only fetch: who parses in them leaves a slot of the server's idle
meanwhile (performance 2.5). Each has a session of its own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from queue import SimpleQueue

from dhis2_api.client import Dhis2Client
from dhis2_api.paging import Asked


_Soon = Callable[[Asked], "Future[bytes]"]


def fetched(
    client: Dhis2Client, asked: Iterable[Asked], in_parallel: int
) -> Generator[bytes, None, None]:
    """Yield the answers to *asked*, in its order, with *in_parallel* requests under way.

    At most twice as many answers lie in memory. Close the iterator after use: what is
    under way then is left to its end, and nothing more is asked.

    Raises:
        Dhis2Error: A request failed; at once, though it were a later one's turn.
    """
    if in_parallel == 1:
        for each in asked:
            yield client.get_bytes(each.path, each.params)
        return
    with _threads(client, in_parallel) as soon:
        yield from _in_order(soon, asked, 2 * in_parallel)


@contextmanager
def _threads(client: Dhis2Client, count: int) -> Iterator[_Soon]:
    idle: SimpleQueue[Dhis2Client] = SimpleQueue()
    clients = [client.another() for _ in range(count)]
    for each in clients:
        idle.put(each)

    def fetch(asked: Asked) -> bytes:
        mine = idle.get()
        try:
            return mine.get_bytes(asked.path, asked.params)
        finally:
            idle.put(mine)

    pool = ThreadPoolExecutor(count, thread_name_prefix="fetch")
    try:
        yield lambda asked: pool.submit(fetch, asked)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for each in clients:
            each.close()


def _in_order(soon: _Soon, asked: Iterable[Asked], most: int) -> Iterator[bytes]:
    waiting: deque[Future[bytes]] = deque()
    landed: SimpleQueue[Future[bytes]] = SimpleQueue()
    for each in asked:
        future = soon(each)
        waiting.append(future)
        future.add_done_callback(landed.put)
        if len(waiting) == most:
            yield _next(waiting, landed)
    while waiting:
        yield _next(waiting, landed)


def _next(waiting: deque[Future[bytes]], landed: SimpleQueue[Future[bytes]]) -> bytes:
    while not (waiting[0].done() and landed.empty()):
        landed.get().result()  # raises what any of them met
    return waiting.popleft().result()
