"""Which faults are ordered, and which of them meets this request?"""

import random
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


Kind: TypeAlias = Literal[
    "latency",
    "status",
    "reset",
    "truncated",
    "html",
    "wrong_shape",
    "twice",
    "left_out",
    "late_commit",
    "unprotected",
    "expired_token",
    "read_only",
]


def _compiled(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"no regular expression: {error}") from error
    return text


Pattern: TypeAlias = Annotated[str, AfterValidator(_compiled)]


class Match(BaseModel):
    """Which requests a rule speaks of; the path is looked for in path and query."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    method: Pattern = ""
    path: Pattern = ""

    def meets(self, method: str, path: str) -> bool:
        """Tell whether the request is one of them."""
        return bool(re.search(self.method, method) and re.search(self.path, path))


class Fault(BaseModel):
    """What goes wrong.

    Attributes:
        kind: which fault (docs/sandbox.md has the list).
        seconds: how long, for latency, late_commit and unprotected.
        status: which status, for status.
        retry_after: the Retry-After of a status.
        done: the work was done before the answer was lost, for status, reset and html.
        index: which object of the report is left out, for left_out.
        body: what is answered, for wrong_shape.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: Kind
    seconds: Annotated[float, Field(ge=0, le=60)] = 0
    status: Annotated[int, Field(ge=400, le=599)] = 503
    retry_after: int | None = None
    done: bool = False
    index: Annotated[int, Field(ge=0)] = 0
    body: Any = None


class Rule(BaseModel):
    """An order: which requests meet which fault, and how often.

    Attributes:
        after: how many matching requests go well first.
        times: how many meet the fault then; None for all of them.
        chance: how likely one of them does, drawn from the seed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    fault: Fault
    match: Match = Match()
    after: Annotated[int, Field(ge=0)] = 0
    times: Annotated[int, Field(ge=1)] | None = 1
    chance: Annotated[float, Field(ge=0, le=1)] = 1
    seed: int = 0


@dataclass(slots=True)
class _Order:
    rule: Rule
    draws: random.Random
    seen: int = 0
    met: int = 0

    def strikes(self) -> bool:
        """Count one more matching request, and tell whether it meets the fault."""
        self.seen += 1
        spent = self.rule.times is not None and self.met >= self.rule.times
        if self.seen <= self.rule.after or spent or self.draws.random() >= self.rule.chance:
            return False
        self.met += 1
        return True


@dataclass(slots=True)
class Faults:
    """The rules of one server, in the order they came; safe between threads."""

    orders: list[_Order] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, rules: Sequence[Rule]) -> None:
        """Order more faults."""
        with self.lock:
            # A fault has to come again by the same seed; nothing secret rests on it.
            self.orders += [_Order(rule, random.Random(rule.seed)) for rule in rules]  # noqa: S311

    def clear(self) -> None:
        """Let everything go well again."""
        with self.lock:
            self.orders.clear()

    def meeting(self, method: str, path: str) -> list[Fault]:
        """Return the faults that meet this request, and count it."""
        with self.lock:
            matching = [order for order in self.orders if order.rule.match.meets(method, path)]
            return [order.rule.fault for order in matching if order.strikes()]

    def told(self) -> list[dict[str, Any]]:
        """Return the rules with how many requests they saw, and how many met the fault."""
        with self.lock:
            return [
                {**order.rule.model_dump(mode="json"), "seen": order.seen, "met": order.met}
                for order in self.orders
            ]
