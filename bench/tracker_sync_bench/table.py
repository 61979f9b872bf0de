"""The table: what was measured, what it must be, and what the plain script takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        case: What was measured, and in what.
        ours: Our number.
        plain: The plain script's, where it has one.
        least: The bar, where more is better.
        most: The bar, where less is better.
    """

    case: str
    ours: float
    plain: float | None = None
    least: float | None = None
    most: float | None = None

    @property
    def bar(self) -> str:
        """The bar, in words; nothing where the number is only told."""
        if self.least is not None:
            return f"≥ {_number(self.least)}"
        return f"≤ {_number(self.most)}" if self.most is not None else ""

    @property
    def passed(self) -> bool:
        """Whether our number is on the right side of its bar."""
        enough = self.least is None or self.ours >= self.least
        return enough and (self.most is None or self.ours <= self.most)

    @property
    def verdict(self) -> str:
        """`ok`, `FAIL`, or nothing without a bar."""
        if not self.bar:
            return ""
        return "ok" if self.passed else "FAIL"


def rendered(rows: Sequence[Row]) -> str:
    """Return the table as text, its numbers to the right."""
    head = ("case", "ours", "bar", "plain script", "")
    cells = [head, *(_cells(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [_line(line, widths) for line in cells]
    return "\n".join([lines[0], "─" * len(lines[0]), *lines[1:]])


def _cells(row: Row) -> tuple[str, ...]:
    plain = "" if row.plain is None else _number(row.plain)
    return (row.case, _number(row.ours), row.bar, plain, row.verdict)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    case, *rest = (
        cell.rjust(width) if place else cell.ljust(width)
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return "  ".join([case, *rest])


def _number(value: float | None) -> str:
    """Return a number with no more digits than it deserves."""
    return f"{value:,.0f}" if value is not None and value >= 100 else f"{value:.3g}"
