"""The run's plan: its windows and slices, as the file every later task reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from tracker_sync.publish import publish
from tracker_sync.runs.slicing import Slice
from tracker_sync.windows.clocks import Clocks
from tracker_sync.windows.window import Window


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What a run has taken upon itself.

    Attributes:
        windows: Program, or type of people without enrollment -> what is read of it.
        watermark_keys: The same -> what its watermark is kept under.
        slices: Its slices.
        zone: The zone of the source's stamps.
        clocks: Both servers' clocks before anything was listed.
        again: Whether what was refused is sent again though nothing of it changed.
        only_from_children: People that only a list of enrollments or events named.
        with_open_refusals: People, and events without registration, that no list named,
            read because a refusal is open.
        passes: How often the list was read that was read most often.
        found_later: How many rows only a later pass found.
        selected_away: How many people and events changed and do not enter.
    """

    windows: Mapping[str, Window]
    watermark_keys: Mapping[str, str]
    slices: tuple[Slice, ...]
    zone: str
    only_from_children: int
    with_open_refusals: int
    passes: int = 1
    found_later: int = 0
    selected_away: int = 0
    clocks: Clocks | None = None
    again: bool = False

    def moving(self) -> dict[str, Window]:
        """Return the windows that move a watermark once accounted for, by its key."""
        keyed = ((self.watermark_keys[program], at) for program, at in self.windows.items())
        return {key: window for key, window in keyed if window.moves}


def write_run_plan(path: Path, plan: RunPlan) -> None:
    """Write a run's plan in one step."""
    publish(path, json.dumps(asdict(plan), default=_instant, indent=1).encode())


def read_run_plan(path: Path) -> RunPlan:
    """Return the plan of a run."""
    content: dict[str, Any] = json.loads(path.read_bytes())
    windows = {program: _window(window) for program, window in content.pop("windows").items()}
    slices = tuple(Slice(**item) for item in content.pop("slices"))
    clocks = TypeAdapter(Clocks | None).validate_python(content.pop("clocks", None))
    return RunPlan(windows=windows, slices=slices, clocks=clocks, **content)


def _window(window: dict[str, Any]) -> Window:
    instants = {name: _parsed(window[name]) for name in ("start", "end", "covered")}
    return Window(moves=window["moves"], **instants)  # type: ignore[arg-type]  # `end` is never null


def _parsed(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _instant(value: datetime) -> str:
    return value.isoformat()
