"""A small program of its own on any server, for tests that write and clean up behind them."""

from __future__ import annotations

import os
import secrets
import string
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from dhis2_api.client import Dhis2Client
from dhis2_api.credentials import Credentials
from dhis2_api.errors import RequestRefused
from dhis2_api.importer import Ref, delete_objects, import_objects
from dhis2_api.system import read_account, read_server
from dhis2_sandbox.app import create_app
from dhis2_sandbox.server import serve
from dhis2_sandbox.start import Superuser
from dhis2_sandbox.versions import DIALECTS as PLAYED
from servers import grant


LIVE = {name: os.environ.get(f"DHIS2_LIVE_{name}", "") for name in ("URL", "USER", "PASSWORD")}
SERVERS = [*PLAYED, *(["live"] if all(LIVE.values()) else [])]

# What a server says of an object that others refer to (DHIS2's own list of codes).
_HELD = "E4030"

_KINDS = {"trackedEntities": ("TRACKED_ENTITY", "trackedEntity")}
_KINDS |= {"enrollments": ("ENROLLMENT", "enrollment"), "events": ("EVENT", "event")}
_KINDS |= {"relationships": ("RELATIONSHIP", "relationship")}


def new_uid() -> str:
    letters = string.ascii_letters
    return secrets.choice(letters) + "".join(
        secrets.choice(letters + string.digits) for _ in range(10)
    )


@dataclass(frozen=True)
class World:
    """Two programs, one of them `unregistered`, two org units, and whom the tests put there.

    What a test makes beside them it registers with `undo`.
    """

    client: Dhis2Client
    undo: ExitStack
    zone: ZoneInfo
    org_units: tuple[str, str]
    root: str
    program: str = field(default_factory=new_uid)
    stage: str = field(default_factory=new_uid)
    unregistered: str = field(default_factory=new_uid)
    reported: str = field(default_factory=new_uid)
    person: str = field(default_factory=new_uid)
    text: str = field(default_factory=new_uid)
    file: str = field(default_factory=new_uid)
    relationship: str = field(default_factory=new_uid)
    made: set[Ref] = field(default_factory=set)

    def send(self, **lists: Sequence[dict[str, Any]]) -> Any:
        """Import objects, and remember them for the end."""
        self.made.update(
            Ref(_KINDS[name][0], item[_KINDS[name][1]])
            for name, items in lists.items()
            for item in items
        )
        return import_objects(self.client, lists)

    def enrolled(self, count: int, **enrollment: Any) -> dict[str, list[dict[str, Any]]]:
        """Return people, each with an enrollment and an event, as flat lists."""
        people = [self._person() for _ in range(count)]
        enrollments = [self._enrollment(person, enrollment) for person in people]
        events = [self.event(enrollment) for enrollment in enrollments]
        return {"trackedEntities": people, "enrollments": enrollments, "events": events}

    def _person(self) -> dict[str, Any]:
        return {
            "trackedEntity": new_uid(),
            "trackedEntityType": self.person,
            "orgUnit": self.org_units[0],
        }

    def _enrollment(self, person: dict[str, Any], terms: dict[str, Any]) -> dict[str, Any]:
        return {
            "enrollment": new_uid(),
            "trackedEntity": person["trackedEntity"],
            "program": self.program,
            "orgUnit": self.org_units[0],
            "enrolledAt": "2026-01-05",
            "occurredAt": "2026-01-05",
            "status": "ACTIVE",
            **terms,
        }

    def event(self, enrollment: dict[str, Any], **terms: Any) -> dict[str, Any]:
        return {
            "event": new_uid(),
            "enrollment": enrollment["enrollment"],
            "program": self.program,
            "programStage": self.stage,
            "orgUnit": self.org_units[0],
            "occurredAt": "2026-01-06",
            "status": "ACTIVE",
            "dataValues": [{"dataElement": self.text, "value": "«é» 1,5"}],
            **terms,
        }

    def report(self, **terms: Any) -> dict[str, Any]:
        """Return an event of the program without registration."""
        return {
            "event": new_uid(),
            "program": self.unregistered,
            "programStage": self.reported,
            "orgUnit": self.org_units[0],
            "occurredAt": "2026-01-06",
            "status": "COMPLETED",
            "dataValues": [{"dataElement": self.text, "value": "12"}],
            **terms,
        }

    def metadata(self) -> dict[str, list[dict[str, Any]]]:
        rights = {"sharing": {"public": "rwrw----"}}
        units = [{"id": uid} for uid in self.org_units]
        end = {
            "relationshipEntity": "TRACKED_ENTITY_INSTANCE",
            "trackedEntityType": {"id": self.person},
        }
        return {
            "dataElements": [
                _named(self.text, valueType="TEXT", **_TRACKER),
                _named(self.file, valueType="FILE_RESOURCE", **_TRACKER),
            ],
            "trackedEntityTypes": [_named(self.person, **rights)],
            "programs": [
                _program(
                    self.program,
                    self.stage,
                    programType="WITH_REGISTRATION",
                    trackedEntityType={"id": self.person},
                    organisationUnits=units,
                    **rights,
                ),
                _program(
                    self.unregistered,
                    self.reported,
                    programType="WITHOUT_REGISTRATION",
                    organisationUnits=units,
                    **rights,
                ),
            ],
            "programStages": [
                _stage(self.stage, self.program, self.text, self.file) | rights,
                _stage(self.reported, self.unregistered, self.text) | rights,
            ],
            "relationshipTypes": [
                {
                    "id": self.relationship,
                    "name": self.relationship,
                    "bidirectional": False,
                    "fromToName": "knows",
                    "fromConstraint": end,
                    "toConstraint": end,
                    **rights,
                }
            ],
        }


def _program(uid: str, stage: str, **terms: Any) -> dict[str, Any]:
    return _named(uid, programStages=[{"id": stage}], accessLevel="OPEN", **terms)


def _stage(uid: str, program: str, *elements: str) -> dict[str, Any]:
    return {
        "id": uid,
        "name": uid,
        "program": {"id": program},
        "repeatable": True,
        "programStageDataElements": [
            {"id": new_uid(), "dataElement": {"id": element}, "sortOrder": i}
            for i, element in enumerate(elements)
        ],
    }


_TRACKER = {"domainType": "TRACKER", "aggregationType": "NONE"}


def _named(uid: str, **terms: Any) -> dict[str, Any]:
    return {"id": uid, "name": f"client test {uid}", "shortName": uid, **terms}


@contextmanager
def world_on(server: str, folder: Path) -> Iterator[World]:
    """Make a world on a played version, or on the live server, and remove it afterwards."""
    with ExitStack() as undo:
        client = undo.enter_context(_live() if server == "live" else played(server, folder))
        yield new_world(client, undo)


@contextmanager
def _live() -> Iterator[Dhis2Client]:
    credentials = Credentials(LIVE["USER"], LIVE["PASSWORD"])
    with Dhis2Client(LIVE["URL"], credentials, name="live") as client:
        yield client


@contextmanager
def played(version: str, folder: Path) -> Iterator[Dhis2Client]:
    token = f"d2p_{'x' * 32}"
    app = create_app(folder / "data", superuser=Superuser(token=token), version=version)
    with serve(app) as url, Dhis2Client(url, Credentials(token=token), name=version) as client:
        root = {**_named(new_uid()), "openingDate": "1970-01-01"}
        client.post("/api/metadata", {"organisationUnits": [root]})
        grant(client, root["id"])
        client.forget_session()
        yield client


def new_world(client: Dhis2Client, undo: ExitStack) -> World:
    root = min(read_account(client).capture)
    units = (new_uid(), new_uid())
    opened = {"openingDate": "1970-01-01", "parent": {"id": root}}
    _make(client, undo, {"organisationUnits": [{**_named(uid), **opened} for uid in units]})
    world = World(client, undo, read_server(client).zone, units, root)
    _make(client, undo, world.metadata())
    undo.callback(_remove_people, world)
    client.forget_session()
    return world


def _make(client: Dhis2Client, undo: ExitStack, lists: dict[str, list[dict[str, Any]]]) -> None:
    for plural, objects in lists.items():
        for item in objects:
            undo.callback(remove, client, f"/api/{plural}/{item['id']}")
    client.post("/api/metadata", lists)


def remove(client: Dhis2Client, path: str) -> None:
    """Delete a metadata object, or name it if deleted people still hold it.

    Raises:
        Dhis2Error: The server does not delete it for another reason.
    """
    try:
        client.request("DELETE", path, also={404})
    except RequestRefused as refusal:
        if refusal.code != _HELD:
            raise
        # A deleted person's traces hold the program until an administrator purges them.
        warnings.warn(f"left behind: {path} ({refusal})", stacklevel=2)


def _remove_people(world: World) -> None:
    refused = delete_objects(world.client, world.made).refused
    assert not refused, f"left behind on {world.client.name}: {refused}"
