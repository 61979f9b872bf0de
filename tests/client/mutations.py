"""How an answer can be damaged: bytes flipped, keys dropped, types changed, the end cut off."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from random import Random
from typing import Any


OTHERS: tuple[Any, ...] = (None, True, -1, 1.5, "", "x", [], [None], {}, {"x": []}, 10**400)


def seeded(seed: str) -> Random:
    """Return the same choices for the same *seed*, so that a failure can be looked at again."""
    return Random(seed)  # noqa: S311 - damage is no secret


def mutated(body: bytes, random: Random) -> bytes:
    """Return *body* damaged in one of the ways, chosen by *random*."""
    return random.choice(_WAYS)(body, random)


def _flipped(body: bytes, random: Random) -> bytes:
    damaged = bytearray(body)
    for _ in range(random.randint(1, 4)):
        damaged[random.randrange(len(damaged))] ^= 1 << random.randrange(8)
    return bytes(damaged)


def _cut(body: bytes, random: Random) -> bytes:
    return body[: random.randrange(len(body))]


def _without_a_key(body: bytes, random: Random) -> bytes:
    return _changed(body, random, lambda parent, key: parent.pop(key))


def _of_another_type(body: bytes, random: Random) -> bytes:
    return _changed(body, random, lambda parent, key: parent.update({key: random.choice(OTHERS)}))


def _changed(body: bytes, random: Random, change: Callable[[Any, str], Any]) -> bytes:
    answer = deepcopy(json.loads(body))
    places = [*_places(answer)]
    if places:
        change(*random.choice(places))
    return json.dumps(answer).encode()


def _places(value: Any) -> Iterator[tuple[dict[str, Any], str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield value, key
            yield from _places(inner)
    if isinstance(value, list):
        for inner in value:
            yield from _places(inner)


_WAYS = (_flipped, _cut, _without_a_key, _of_another_type)
