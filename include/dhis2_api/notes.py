"""The notes: how one is added to an enrollment or an event without sending that again."""

from __future__ import annotations

from typing import Literal

from dhis2_api.answers import error_code, refuse_if_broken
from dhis2_api.client import Dhis2Client
from dhis2_api.errors import RequestRefused, UnexpectedAnswer, UnsupportedVersion


def add_note(
    client: Dhis2Client, kind: Literal["enrollments", "events"], uid: str, note: str, text: str
) -> None:
    """Add a note under the UID *note*; no stamp of the object moves (measured: Clock).

    Everywhere a note may come in the object's own payload instead, where one that is
    there already is a warning, E1119 (measured: notes-…).

    Raises:
        UnsupportedVersion: The server is older than 2.42.
        RequestRefused: The object is not there or out of the account's reach (403), or a
            note of this UID exists already (400; source); or the server broke down at it (500).
        UnexpectedAnswer: The answer is not the note, which is how a server says it was added.
    """
    if not client.dialect.notes:
        raise UnsupportedVersion(
            f"{client.name}: DHIS2 {client.dialect.version} adds no note by itself: "
            "send it within its object"
        )
    answer = client.post(
        f"/api/tracker/{kind}/{uid}/note", {"note": note, "value": text}, also={403, 500}
    )
    refuse_if_broken(answer)
    if answer.status == 403:
        what = f"{answer.what} answered 403: the account may not add a note there"
        raise RequestRefused(what, status=403, code=error_code(answer))
    added = answer.json()
    if not isinstance(added, dict) or added.get("note") != note:
        raise UnexpectedAnswer(f"{answer.what} answered {answer.status} without note {note}")
