"""The watermark command: a route's watermarks, out into a file and back in, on both sides.

    python -m dhis2_airflow.watermark_command export ROUTE > FILE
    python -m dhis2_airflow.watermark_command import ROUTE FILE

It runs where Airflow's database and both servers can be reached, with `include` and `plugins`
on PYTHONPATH. `import` gives both sides the earlier of the watermarks that the file's two sides
name; keys that the file does not name stay as they are.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from dhis2_airflow.hook import Dhis2Hook
from dhis2_airflow.watermark_store import store_watermarks, stored_watermarks
from dhis2_api.errors import Dhis2Error, PermanentError
from dhis2_api.system import read_server
from tracker_sync.route import Route
from tracker_sync.routes import InvalidRoute, load_route, routes_folder
from tracker_sync.windows.checkpoint import BothSides, Marks, read_checkpoint, write_checkpoint
from tracker_sync.windows.watermark import NoWatermarks, as_instants, as_texts


_Read = Callable[[], Marks]


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what was asked for; return 0 if it is done, 1 if a person must act first."""
    parser = argparse.ArgumentParser(prog="watermark_command", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("export").add_argument("route")
    importing = commands.add_parser("import")
    importing.add_argument("route")
    importing.add_argument("file", type=Path)
    asked = parser.parse_args(arguments)
    # As Airflow's own commands do: outside a task, connections come from its database too.
    os.environ["_AIRFLOW_PROCESS_CONTEXT"] = "server"
    try:
        route = load_route(routes_folder() / f"{asked.route}.yaml")
        lines = exported(route) if asked.command == "export" else imported(route, asked.file)
        sys.stdout.writelines(f"{line}\n" for line in lines)
    except (Dhis2Error, InvalidRoute) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def exported(route: Route) -> list[str]:
    """Return the file that holds a route's watermarks, as both sides keep them."""
    sides = _both_sides(route)
    content = {
        "route": route.name,
        "airflow": as_texts(sides.airflow),
        "destination": as_texts(sides.destination),
    }
    return [json.dumps(content, indent=1)]


def imported(route: Route, file: Path) -> list[str]:
    """Give both sides the watermarks of a file; return a line for each, saying what changed.

    A side that keeps something else than watermarks counts as empty.

    Raises:
        PermanentError: The file is not one of this route, or a watermark lies in the future.
    """
    wanted = _wanted(route, file)
    with Dhis2Hook(route.source).client() as source:
        _require_past(wanted, read_server(source).now)
    before = _both_sides(route, _kept_or_none)
    after = BothSides({**before.airflow, **wanted}, {**before.destination, **wanted})
    with Dhis2Hook(route.destination).client() as destination:
        write_checkpoint(destination, route.name, after.destination)
    store_watermarks(route, after.airflow)
    return [
        *_changes("Airflow", before.airflow, after.airflow),
        *_changes("the destination", before.destination, after.destination),
    ]


def _kept(read: _Read) -> Marks:
    return read()


def _kept_or_none(read: _Read) -> Marks:
    """Return the watermarks of a side; none if it keeps something else, which is to go."""
    try:
        return read()
    except NoWatermarks:
        return {}


def _both_sides(route: Route, of: Callable[[_Read], Marks] = _kept) -> BothSides:
    with Dhis2Hook(route.destination).client() as destination:
        return BothSides(
            of(lambda: stored_watermarks(route)),
            of(lambda: read_checkpoint(destination, route.name)),
        )


def _wanted(route: Route, file: Path) -> Marks:
    """Return, for each key of the file, the earlier of the watermarks its sides name."""
    try:
        content: Any = json.loads(file.read_bytes())
        sides = [as_instants(content[side]) for side in ("airflow", "destination")]
        name = content["route"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise PermanentError(f"{file} is no file that `export` wrote ({reason})") from None
    if name != route.name:
        raise PermanentError(f"{file} holds the watermarks of `{name}`, not of `{route.name}`")
    keys = sorted({key for side in sides for key in side})
    return {key: min(side[key] for side in sides if key in side) for key in keys}


def _require_past(marks: Marks, now: datetime) -> None:
    if ahead := [key for key, mark in marks.items() if mark > now]:
        raise PermanentError(
            f"watermarks after the source's now, {now.isoformat(timespec='seconds')}, would hide "
            f"what changes until then: correct {', '.join(ahead)}; nothing was imported"
        )


def _changes(side: str, before: Marks, after: Marks) -> Iterator[str]:
    for key, mark in sorted(after.items()):
        was = before.get(key)
        told = was.isoformat() if was else "nothing"
        stays = f"stays at {mark.isoformat()}"
        yield f"{side}: {key} " + (stays if was == mark else f"{told} -> {mark.isoformat()}")


if __name__ == "__main__":
    sys.exit(main())
