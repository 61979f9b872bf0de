"""The watermark: up to where one program's data is accounted for, and for what it speaks."""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Self

from dhis2_api.errors import PermanentError
from tracker_sync.publish import publish
from tracker_sync.route import ProgramSelection, Route
from tracker_sync.windows.window import Window
from tracker_sync.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Scope:
    """What a watermark speaks of; with anything else in it begins a baseline.

    Attributes:
        program: The program; or the type, of people who are read without enrollment.
        org_units: The roots, sorted.
        selection: Who of the program enters; only what is set.
        pair: What stands for the two servers, see `servers.pair_of`.
        zone: The zone of the source's stamps; in another they stand for other instants.
        mapping: What stands for the route's mapping; empty without one.
    """

    program: str
    org_units: tuple[str, ...]
    selection: Mapping[str, Any]
    pair: str
    zone: str
    mapping: str = ""

    def key(self, secret: bytes) -> str:
        """Return what the watermark is kept under.

        The destination keeps it too, and a selection may hold a person's number, which could
        be guessed from a plain hash: so it is made with a secret that stays here.
        """
        said = asdict(self)
        if not self.mapping:  # a route without one goes on under the key it always had
            del said["mapping"]
        text = json.dumps(said, sort_keys=True)
        return hmac.new(secret, text.encode(), "sha256").hexdigest()[:16]


def secret_of(workspace: Workspace) -> bytes:
    """Return the route's secret, from the first time on; with another begins a baseline."""
    file = workspace.state / "salt"
    if not file.is_file():
        publish(file, secrets.token_bytes(32))
    return file.read_bytes()


def scope_of(route: Route, program: str, pair: str, zone: str) -> Scope:
    """Return what the watermark of one of a route's programs speaks of."""
    selection = route.selections.get(program, ProgramSelection())
    chosen = selection.model_dump(mode="json", exclude_defaults=True)
    roots = tuple(sorted(route.org_units))
    return Scope(program, roots, chosen, pair, zone, route.mapping.hash)


def moved(marks: Mapping[str, datetime], windows: Mapping[str, Window]) -> dict[str, datetime]:
    """Return *marks* as they are once *windows* are accounted for.

    A mark never goes back, and never jumps over what nobody accounted for, whatever
    moved it since the windows were drawn.

    Args:
        marks: Key -> watermark, as kept now.
        windows: Key -> a window all of whose records are accounted for.
    """
    joined = {key: window for key, window in windows.items() if window.joins(marks.get(key))}
    ends = {key: max(window.end, marks.get(key, window.end)) for key, window in joined.items()}
    return {**marks, **ends}


def as_texts(marks: Mapping[str, datetime]) -> dict[str, str]:
    """Return watermarks as they are kept, e.g. `2026-11-24T02:00:00+00:00`."""
    return {key: mark.isoformat() for key, mark in sorted(marks.items())}


class NoWatermarks(PermanentError):
    """What is kept as watermarks are none."""

    @classmethod
    def of(cls, where: str, error: ValueError) -> Self:
        """Return it with what to do."""
        return cls(
            f"{where} holds no watermarks ({error}): import good ones "
            "(`python -m dhis2_airflow.watermark_command import`), or delete it for a baseline"
        )


def as_instants(texts: object) -> dict[str, datetime]:
    """Return watermarks as they were kept, as instants in UTC.

    Raises:
        ValueError: They are not texts by key, each a time with its offset.
    """
    if not isinstance(texts, Mapping):
        raise ValueError("no object of texts by key")  # noqa: TRY004 - as of any other bad text
    return {key: _instant(key, text) for key, text in texts.items()}


def _instant(key: str, text: object) -> datetime:
    instant = datetime.fromisoformat(text) if isinstance(text, str) else None
    if instant is None or instant.tzinfo is None:
        raise ValueError(f"{key} is no time with an offset")
    return instant.astimezone(UTC)
