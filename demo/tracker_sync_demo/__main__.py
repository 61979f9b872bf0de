"""The command: `make demo`, or with `--ui` the same in Airflow's own UI."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

from dhis2_api.errors import Dhis2Error
from tracker_sync_demo.scratch_airflow import PROJECT, ScratchAirflow
from tracker_sync_demo.servers import DidNotStart, sandbox
from tracker_sync_demo.story import NotAsTold, Story
from tracker_sync_demo.ui import show, standalone


def main() -> int:
    """Run the demo; return 0 only if everything was as it tells."""
    parser = argparse.ArgumentParser(prog="tracker_sync_demo", description=__doc__)
    parser.add_argument("--ui", action="store_true", help="open Airflow's UI and leave it running")
    parser.add_argument("--folder", type=Path, default=PROJECT / ".demo", help="where files go")
    arguments = parser.parse_args()
    for stop in (signal.SIGTERM, signal.SIGINT):  # a shell's background job ignores the latter
        signal.signal(stop, _as_interrupt)
    try:
        _demo(arguments.folder.absolute(), ui=arguments.ui)
    except KeyboardInterrupt:
        say("\nstopped; the servers are gone")
        return 130
    except (DidNotStart, NotAsTold, Dhis2Error) as error:
        say(f"\n{error}")
        return 1
    say("\nAll as it should be. The servers are stopped.")
    return 0


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)  # noqa: T201  # a command's output


def _demo(folder: Path, *, ui: bool) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    with ExitStack() as stack:
        say("Starting two sandbox DHIS2 servers: a district, and an empty one")
        source = stack.enter_context(sandbox(folder, "source", district=True))
        destination = stack.enter_context(sandbox(folder, "destination", district=False))
        say(f"source:      {source.url}\ndestination: {destination.url}")
        connections = {"sandbox_source": source, "sandbox_destination": destination}
        airflow = ScratchAirflow(folder / "airflow", folder / "staging", connections)
        airflow.home.mkdir(mode=0o700)
        say("Making a scratch Airflow")
        airflow.migrate()
        if ui:
            show(stack.enter_context(standalone(airflow)), say)
        Story(source, destination, airflow, say).tell()


def _as_interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
