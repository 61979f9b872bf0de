"""The witness: do the watermarks still fit the state that is kept here, and the source's clock?

A watermark passes what is refused, because the state remembers it. A state that was lost, or
came back from an older copy, does not: so each run that settles writes a token into the state
and beside the watermarks at the destination. A state that lacks the destination's token lacks
what that run remembered. One that has newer tokens too only knows more, as after the
destination was restored.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from dhis2_api.client import Dhis2Client
from dhis2_api.data_store import keep_value, read_value
from tracker_sync.publish import publish
from tracker_sync.servers import pair_of
from tracker_sync.windows.checkpoint import NAMESPACE
from tracker_sync.windows.clocks import Clocks
from tracker_sync.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Witness:
    """What runs of a route between two servers left at the destination.

    Attributes:
        token: What the last run that settled wrote into the state too; nothing before the first.
        clocks: Both clocks when the last run that moved a watermark was planned.
    """

    token: str | None = None
    clocks: Clocks | None = None

    def fits(self, state: Path) -> bool:
        """Whether a state remembers what the watermarks have passed."""
        return self.token is None or self.token in _tokens(state)


_UNREADABLE = Witness("")  # fits no state


def new_token(state: Path) -> str:
    """Return a token that the state now has."""
    token = secrets.token_hex(16)
    publish(state / "tokens", "\n".join([*_tokens(state), token]).encode())
    return token


def read_witness(client: Dhis2Client, workspace: Workspace) -> Witness:
    """Return what the destination keeps; what cannot be read fits no state."""
    kept = read_value(client, NAMESPACE, _key(workspace))
    try:
        return TypeAdapter(Witness).validate_python(kept or {})
    except ValidationError:
        return _UNREADABLE


def write_witness(client: Dhis2Client, workspace: Workspace, witness: Witness) -> None:
    """Let the destination keep it."""
    value = TypeAdapter(Witness).dump_python(witness, mode="json")
    keep_value(client, NAMESPACE, _key(workspace), value)


def _tokens(state: Path) -> list[str]:
    file = state / "tokens"
    return file.read_text(encoding="utf-8").split() if file.is_file() else []


def _key(workspace: Workspace) -> str:
    return f"witness-{workspace.route}-{pair_of(workspace)}"
