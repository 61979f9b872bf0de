"""The two servers: whom a run speaks to, and what is remembered about just those two.

A route that is pointed at another server, or a server that was set up anew, must
not inherit watermarks or refusals: what they speak of is not there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from tracker_sync.publish import publish
from tracker_sync.workspace import Workspace


def note_servers(
    workspace: Workspace, source: str, destination: str, addresses: Mapping[str, str] | None = None
) -> None:
    """Write down which two servers a run is between, and void what it planned before.

    Args:
        workspace: The run's files.
        source: The identity of the server that is read: its systemId, or its address.
        destination: The identity of the server that is written to.
        addresses: The base URLs of `source` and `destination`, where they are known, for
            links; a client's address holds no credentials.
    """
    workspace.plan.unlink(missing_ok=True)
    content = {"source": source, "destination": destination, "addresses": addresses or {}}
    publish(workspace.servers, json.dumps(content).encode())


def addresses_of(workspace: Workspace) -> Mapping[str, str]:
    """Return the base URLs of `source` and `destination`, as far as the run knows them."""
    if not workspace.servers.is_file():
        return {}
    addresses: Mapping[str, str] = json.loads(workspace.servers.read_bytes()).get("addresses", {})
    return addresses


def pair_of(workspace: Workspace) -> str:
    """Return what stands for the two servers of a run, in twelve characters."""
    servers = json.loads(workspace.servers.read_bytes())
    text = json.dumps([servers["source"], servers["destination"]])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def state_folder(workspace: Workspace) -> Path:
    """Return where the route's state between these two servers lies."""
    return workspace.state / pair_of(workspace)
