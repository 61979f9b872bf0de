"""What do the sandbox's tests say to a server that holds the district?"""

from dataclasses import dataclass
from typing import Any

import requests


ROOT = "GwTj6qZdrlX"
FACILITY = "RPIeQRab7JG"
PERSON = "Xzm8JdvcK5r"
HIV = "xsd8pFBm2w1"
FOLLOW_UP = "NQAzEAcicmY"
FIRST_NAME = "igrbHRNTbIn"
LAST_NAME = "XlaUz6AYQa9"
SEX = "zzlC4ArMYGX"
BIRTH_DATE = "e6bl9NqfY2M"
NATIONAL_ID = "kd7nkrMgEfm"
TOKEN = "d2p_for_one_test"
EVERYWHERE = {"orgUnits": ROOT, "orgUnitMode": "DESCENDANTS"}


@dataclass(frozen=True, slots=True)
class Caller:
    """Calls one server with one account."""

    base_url: str
    session: requests.Session

    def get(self, path: str, **params: Any) -> Any:
        """Read, and insist that it goes well."""
        response = self.session.get(self.base_url + path, params=params, timeout=30)
        response.raise_for_status()
        return response.json()

    def post(self, payload: dict[str, Any], **params: Any) -> requests.Response:
        """Send tracker data, with refusals by object unless the test says otherwise."""
        usual = {"async": "false", "atomicMode": "OBJECT", "reportMode": "FULL"}
        url = f"{self.base_url}/api/tracker"
        return self.session.post(url, json=payload, params=usual | params, timeout=30)


def caller(base_url: str, token: str = TOKEN) -> Caller:
    """Return a caller with the superuser's token."""
    session = requests.Session()
    session.headers["Authorization"] = f"ApiToken {token}"
    return Caller(base_url, session)


def person(uid: str, **attributes: str | None) -> dict[str, Any]:
    """Return a tracked entity as it is sent; attributes by UID."""
    values = [{"attribute": name, "value": value} for name, value in attributes.items()]
    return {
        "trackedEntity": uid,
        "trackedEntityType": PERSON,
        "orgUnit": FACILITY,
        "attributes": values,
    }


def codes(response: requests.Response) -> set[tuple[str, str]]:
    """Return (UID, code) of everything that was refused."""
    reports = response.json()["validationReport"]["errorReports"]
    return {(report["uid"], report["errorCode"]) for report in reports}


def values_of(entity: dict[str, Any]) -> dict[str, str]:
    """Return a person's attribute values by attribute."""
    return {item["attribute"]: item["value"] for item in entity["attributes"]}
