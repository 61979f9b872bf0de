"""The memory of Arrow: which allocator do the steps take it from?"""

from __future__ import annotations

import os
from collections.abc import Callable

import pyarrow as pa


def take_frugal_pool(pool: Callable[[], pa.MemoryPool] = pa.jemalloc_memory_pool) -> None:
    """Let Arrow take memory from *pool*, if its build has one and nobody chose another.

    Arrow's own choice, mimalloc, keeps what one thread left from all others. Of 10,000 people
    from server to server jemalloc took 9 % less CPU time and 100 MB less (bench).
    """
    if os.environ.get("ARROW_DEFAULT_MEMORY_POOL"):
        return
    try:
        pa.set_memory_pool(pool())
    except NotImplementedError:
        return  # macOS and Windows have none: slower there, and nothing else
