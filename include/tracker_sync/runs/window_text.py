"""The window in words: what a run reads of each program, and from where it knows."""

from __future__ import annotations

from collections.abc import Iterator

from tracker_sync.runs.plan import RunPlan
from tracker_sync.windows.checkpoint import BothSides
from tracker_sync.windows.window import Window


def window_lines(plan: RunPlan, sides: BothSides) -> Iterator[str]:
    """Yield a line for each program: its span, and what both sides knew of its watermark."""
    for program, window in plan.windows.items():
        moves = "" if window.moves else ", and moves no watermark"
        finding = sides.finding(plan.watermark_keys[program])
        yield f"{program}: reads {_span(window)}{moves} ({finding})"


def _span(window: Window) -> str:
    end = window.end.isoformat(timespec="seconds")
    if window.start is None:
        return f"everything up to {end}"
    return f"what changed from {window.start.isoformat(timespec='seconds')} to {end}"
