"""Two servers on sockets, and what a test does to them."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from dhis2_api.client import Dhis2Client
from dhis2_api.credentials import Credentials
from dhis2_sandbox.app import create_app
from dhis2_sandbox.clock import Clock
from dhis2_sandbox.server import serve
from dhis2_sandbox.start import Superuser, fill_with_district, open_sandbox
from tracker_sync.route import Route


HIV, MATERNAL, VACCINATION = "xsd8pFBm2w1", "m8nERzkN6j4", "pjYwBlP46Rf"
SURVEILLANCE = "fAw4hObwxfo"  # a program without registration
PERSON = "Xzm8JdvcK5r"
SENEGAL, DAKAR = "GwTj6qZdrlX", "YGeDprhfds1"
SEX = "AcCtZkAvAsC"  # an option set

_ALL = ("2.40.9", "2.41.8", "2.42.4", "2.43.1")
#: `make deep` tries all of them where the flows of all versions hold the rest.
OLDEST_AND_NEWEST = _ALL if os.environ.get("HYPOTHESIS_PROFILE") == "deep" else (_ALL[0], _ALL[-1])


@dataclass(frozen=True, slots=True)
class Pair:
    """A server with the district's metadata, and an empty one; superusers ask."""

    source: Dhis2Client
    destination: Dhis2Client


@contextmanager
def pair_of(folder: Path) -> Iterator[Pair]:
    """Run both servers, their data files in *folder*."""
    with running(folder, "from", district=True) as source, running(folder, "to") as destination:
        yield Pair(source, destination)


@contextmanager
def running(
    folder: Path, name: str, *, district: bool = False, version: str = "2.42.4"
) -> Iterator[Dhis2Client]:
    token = f"d2p_{name:x<32}"
    if district and not (folder / name).exists():
        shutil.copy(_district(version), folder / name)
    app = create_app(folder / name, superuser=Superuser(token=token), version=version)
    with serve(app) as url, Dhis2Client(url, Credentials(token=token), name=name) as client:
        yield client


@cache
def _district(version: str) -> Path:
    """Return a data file that holds the district: filled once, and copied for each server."""
    folder = Path(tempfile.mkdtemp(prefix="tracker-sync-district-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    sandbox = open_sandbox(folder / "district", version, Clock(), Superuser())
    fill_with_district(sandbox)
    with sandbox.database.writing() as connection:  # each copy is a server of its own
        connection.execute("DELETE FROM setting WHERE name = 'systemId'")
    sandbox.database.close()
    return folder / "district"


def route(**terms: Any) -> Route:
    given = {
        "name": "district",
        "source": "from",
        "destination": "to",
        "programs": (HIV, MATERNAL, VACCINATION),
        "org_units": (SENEGAL,),
        "metadata": "apply",
    }
    return Route(**(given | terms))


def put(client: Dhis2Client, plural: str, *objects: dict[str, Any]) -> None:
    client.post("/api/metadata", {plural: list(objects)})


def read(client: Dhis2Client, plural: str, uid: str) -> dict[str, Any]:
    params = {"filter": f"id:in:[{uid}]", "fields": ":owner", "paging": "false"}
    (fields,) = client.get(f"/api/{plural}", params)[plural]
    return dict(fields)


def copied(pair: Pair, plural: str, uid: str, to: str, **changes: Any) -> None:
    """Let the destination have an object of the source under another UID."""
    fields = {**read(pair.source, plural, uid), "id": to, **changes}
    put(pair.destination, plural, {name: fields[name] for name in fields if name != "path"})


def stamps(client: Dhis2Client, plural: str) -> dict[str, str]:
    """Return when each object of a class was last written."""
    answer = client.get(f"/api/{plural}", {"fields": "id,lastUpdated", "paging": "false"})
    return {fields["id"]: fields["lastUpdated"] for fields in answer[plural]}


def add_option(client: Dhis2Client, code: str) -> str:
    """Add an option to the set of sexes and return its UID."""
    uid = f"{code:X<11}"[:11]
    option_set = read(client, "optionSets", SEX)
    option = {"id": uid, "code": code, "name": code, "sortOrder": 9, "optionSet": {"id": SEX}}
    whole = option_set | {"options": [*option_set["options"], {"id": uid}]}
    client.post("/api/metadata", {"optionSets": [whole], "options": [option]})
    return uid


def grant(client: Dhis2Client, *org_units: str) -> None:
    """Give the account org units to write and to search in; it sees them in new sessions."""
    value = [{"id": uid} for uid in org_units]
    names = ("organisationUnits", "teiSearchOrganisationUnits")
    patch = [{"op": "add", "path": f"/{name}", "value": value} for name in names]
    client.request("PATCH", f"/api/users/{client.get('/api/me')['id']}", payload=patch)


def delete(client: Dhis2Client, plural: str, uid: str) -> None:
    client.post("/api/metadata", {plural: [{"id": uid}]}, {"importStrategy": "DELETE"})


@contextmanager
def reader(server: Dhis2Client) -> Iterator[Dhis2Client]:
    """Speak as an account without authorities, which reads what everybody may."""
    roots = [{"id": SENEGAL}]
    user: dict[str, Any] = {"id": "UserReader1", "username": "reader", "password": "Account-1234!"}
    user |= {"firstName": "R", "surname": "R", "userRoles": [{"id": "RoleReader1"}]}
    user |= {"organisationUnits": roots, "teiSearchOrganisationUnits": roots}
    role = {"id": "RoleReader1", "name": "reader", "code": "reader", "authorities": []}
    server.post("/api/metadata", {"userRoles": [role], "users": [user]})
    credentials = Credentials("reader", "Account-1234!")
    with Dhis2Client(server.url, credentials, name=server.name) as client:
        yield client
