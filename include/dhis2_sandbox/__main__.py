"""How is a sandbox started from a shell?"""

import argparse
import os
import signal
import sys
from pathlib import Path

from dhis2_sandbox.app import create_app
from dhis2_sandbox.clock import Clock
from dhis2_sandbox.server import NotLoopback, listen, server_for
from dhis2_sandbox.start import Superuser, generated_superuser, has_superuser, make_old_server
from dhis2_sandbox.versions import DEFAULT_VERSION, DIALECTS


_PASSWORD = "DHIS2_SANDBOX_PASSWORD"  # noqa: S105 - the variable's name, not a password
_TOKEN = "DHIS2_SANDBOX_TOKEN"  # noqa: S105 - the variable's name, not a token


def main() -> int:
    """Serve until a signal says stop. One line on stdout says where."""
    arguments = _arguments()
    superuser = _superuser(arguments.data)
    try:
        listener = listen(arguments.host, arguments.port)
    except (NotLoopback, OSError) as error:
        print(f"cannot listen: {error}", file=sys.stderr)  # noqa: T201 - a command's own output
        return 2
    if arguments.old_defaults:
        make_old_server(arguments.data, arguments.version, Clock(arguments.timezone))
    app = create_app(
        arguments.data,
        district=arguments.district,
        superuser=superuser,
        clock=Clock(arguments.timezone),
        version=arguments.version,
        faults=arguments.faults,
    )
    url = f"http://{arguments.host}:{listener.getsockname()[1]}"
    server = server_for(app, lambda: print(f"listening on {url}", flush=True))  # noqa: T201
    for number in (signal.SIGINT, signal.SIGTERM):
        # uvicorn stops by its own handlers, then raises the signal again: that one is spent.
        signal.signal(number, lambda *_: None)
    server.run(sockets=[listener])
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="dhis2_sandbox", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="0 takes a free one")
    parser.add_argument("--data", type=Path, required=True, help="the SQLite file")
    parser.add_argument("--district", action="store_true", help="fill a new file with the district")
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address")
    parser.add_argument("--timezone", default="UTC", help="the server's zone, e.g. Africa/Dakar")
    parser.add_argument("--version", choices=sorted(DIALECTS), default=DEFAULT_VERSION)
    parser.add_argument("--faults", action="store_true", help="let faults be ordered, for tests")
    parser.add_argument(
        "--old-defaults",
        action="store_true",
        help="give a new file default category objects with UIDs of its own",
    )
    return parser.parse_args()


def _superuser(data: Path) -> Superuser:
    """Return what the environment gives; invent it and say so if nobody knows it yet."""
    given = Superuser(os.environ.get(_PASSWORD) or None, os.environ.get(_TOKEN) or None)
    if given != Superuser() or has_superuser(data):
        return given
    invented = generated_superuser()
    text = f"admin: password {invented.password}, token {invented.token}"
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - a command's own output
    return invented


if __name__ == "__main__":
    sys.exit(main())
