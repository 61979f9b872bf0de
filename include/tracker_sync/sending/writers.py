"""The writers: several batches under way at once to one destination."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import replace
from queue import SimpleQueue
from threading import Lock
from typing import TypeVar

from dhis2_api.traffic import Traffic
from tracker_sync.sending.destination import Destination


Batch = TypeVar("Batch")
Result = TypeVar("Result")

# Somebody computes while somebody waits: with one thread a lane, lanes would lie idle
# (performance 2.5).
_THREADS_A_LANE = 2


def in_parallel(
    destination: Destination,
    batches: Iterable[Batch],
    load: Callable[[Destination, Batch], Result],
) -> Iterator[Result]:
    """Yield what *load* returns of each batch, in the order they end.

    No more than `destination.writers` requests that write are under way at once, and one that
    reads. If one fails, what was under way is yielded first: it has written.

    Raises:
        Exception: What the first batch that failed met, once all under way have ended.
    """
    if destination.writers == 1:
        yield from (load(destination, batch) for batch in batches)
        return
    under_way: set[Future[Result]] = set()
    with _threads(destination, load) as soon:
        try:
            for batch in batches:
                while len(under_way) >= _THREADS_A_LANE * destination.writers:
                    yield from _ended(under_way)
                under_way.add(soon(batch))
            while under_way:
                yield from _ended(under_way)
        except Exception:
            yield from _successes(under_way)
            raise


@contextmanager
def _threads(
    destination: Destination, load: Callable[[Destination, Batch], Result]
) -> Iterator[Callable[[Batch], Future[Result]]]:
    lanes, asking = Traffic(destination.writers), Lock()
    count = _THREADS_A_LANE * destination.writers
    clients = [destination.client.another(lanes) for _ in range(count)]
    sources = [destination.source and destination.source.another() for _ in range(count)]
    idle: SimpleQueue[Destination] = SimpleQueue()

    def one_at_a_time() -> None:
        with asking:  # a lease is asked over one session, and renews itself
            destination.before_write()

    for client, source in zip(clients, sources, strict=True):
        idle.put(replace(destination, client=client, source=source, before_write=one_at_a_time))

    def work(batch: Batch) -> Result:
        mine = idle.get()
        try:
            return load(mine, batch)
        finally:
            idle.put(mine)

    try:
        with ThreadPoolExecutor(count, thread_name_prefix="write") as pool:
            yield lambda batch: pool.submit(work, batch)
    finally:
        for each in [*clients, *filter(None, sources)]:
            each.close()


def _ended(under_way: set[Future[Result]]) -> Iterator[Result]:
    """Wait until one has ended, and yield what those that have return."""
    done, _ = wait(under_way, return_when=FIRST_COMPLETED)
    under_way -= done
    failed = [future for future in done if future.exception()]
    yield from (future.result() for future in done if future not in failed)
    for future in failed:
        future.result()


def _successes(under_way: set[Future[Result]]) -> Iterator[Result]:
    done, _ = wait(under_way)
    yield from (future.result() for future in done if not future.exception())
