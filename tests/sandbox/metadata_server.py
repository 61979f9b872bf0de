"""What do the sandbox's tests of metadata say to a server, and with which account?"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import requests

from dhis2_sandbox.app import create_app
from dhis2_sandbox.server import serve
from dhis2_sandbox.start import Superuser
from dhis2_sandbox.versions import DIALECTS
from sandbox.district import TOKEN, Caller, caller


VERSIONS = sorted(DIALECTS)
NUMBER = {"valueType": "NUMBER", "domainType": "TRACKER", "aggregationType": "NONE"}
_PASSWORD = "Account-1234!"


@dataclass(frozen=True, slots=True)
class Keeper:
    """Keeps the metadata of one server, as one account."""

    caller: Caller

    def send(self, objects: dict[str, Any], **params: str) -> requests.Response:
        """Import objects by class, whatever comes of it."""
        url = f"{self.caller.base_url}/api/metadata"
        return self.caller.session.post(url, json=objects, params=params, timeout=60)

    def store(self, objects: dict[str, Any], **params: str) -> dict[str, Any]:
        """Import objects, and insist that it goes well; return the report."""
        answer = self.send(objects, **params)
        assert answer.status_code == 200, answer.text
        report: dict[str, Any] = answer.json()["response"]
        return report

    def read(self, plural: str, uid: str, fields: str = ":owner") -> dict[str, Any]:
        """Return one object."""
        found: dict[str, Any] = self.caller.get(f"/api/{plural}/{uid}", fields=fields)
        return found

    def uids(self, plural: str, **params: str) -> set[str]:
        """Return the UIDs of a class, or of those that a filter lets pass."""
        answer = self.caller.get(f"/api/{plural}", fields="id", paging="false", **params)
        return {item["id"] for item in answer[plural]}

    def account(self, *authorities: str, groups: tuple[str, ...] = ()) -> "Keeper":
        """Return a new account with these authorities and no others."""
        role = {"id": "RoleRoleRo1", "name": "Role", "authorities": list(authorities)}
        user: dict[str, Any] = {"id": "UserUserUs1", "username": "limited", "password": _PASSWORD}
        user |= {"firstName": "Awa", "surname": "Fall", "userRoles": [{"id": role["id"]}]}
        members = [{"id": uid, "name": uid, "users": [{"id": user["id"]}]} for uid in groups]
        self.store({"userRoles": [role], "users": [user], "userGroups": members})
        session = requests.Session()
        session.auth = ("limited", _PASSWORD)
        return Keeper(Caller(self.caller.base_url, session))


@contextmanager
def keeper(data: Path, version: str = "2.42.4") -> Iterator[Keeper]:
    """Run a server with the district and yield its superuser; an empty file is filled first."""
    if not data.exists():
        data.write_bytes(_filled(version))
    app = create_app(data, district=True, superuser=Superuser(token=TOKEN), version=version)
    with serve(app) as base_url:
        yield Keeper(caller(base_url))


@cache
def _filled(version: str) -> bytes:
    """Return the data file of a server of this version that holds the district."""
    with TemporaryDirectory() as folder:
        data = Path(folder) / "server.sqlite"
        with serve(create_app(data, district=True, version=version)):
            pass
        return data.read_bytes()


def refusals(answer: requests.Response) -> set[tuple[str, str]]:
    """Return (UID, code) of every reason in a report."""
    return {
        (item["uid"], error["errorCode"])
        for kind in answer.json()["response"]["typeReports"]
        for item in kind["objectReports"]
        for error in item["errorReports"]
    }


def element(uid: str, name: str, **members: Any) -> dict[str, Any]:
    """Return a data element as it is sent."""
    return {"id": uid, "name": name, "shortName": name, **NUMBER, **members}
