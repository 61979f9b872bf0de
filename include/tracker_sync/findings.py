"""The finding: what a check saw, whether it stops a run, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dhis2_api.errors import PermanentError


#: So many are named in a line that a person reads; a file has all of them.
MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a check before the first record saw.

    Attributes:
        code: What it is, in one word, e.g. `version_unsupported`.
        blocking: Whether a run must not go on.
        text: What was seen, and where.
        remedy: What to do about it.
    """

    code: str
    blocking: bool
    text: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.code}: {self.text}; {self.remedy}"


def require_none_blocking(findings: Iterable[Finding]) -> None:
    """Return if nothing stands in the way of a run.

    Raises:
        PermanentError: Something does; one line for each, with cause and remedy.
    """
    blocking = [str(finding) for finding in findings if finding.blocking]
    if blocking:
        raise PermanentError("\n".join(blocking))


def some_of(names: Sequence[object], between: str = ", ") -> str:
    """Return the first `MOST_NAMED` of *names* as text, and how many more there are."""
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return between.join(map(str, names[:MOST_NAMED])) + more
