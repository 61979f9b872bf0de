"""What must be in the data file before the first request?"""

import json
import secrets
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from dhis2_sandbox.access.accounts import Accounts
from dhis2_sandbox.access.rights import rights_of
from dhis2_sandbox.clock import Clock
from dhis2_sandbox.database import Database
from dhis2_sandbox.identifiers import new_uid
from dhis2_sandbox.imports.options import TrackerOptions
from dhis2_sandbox.metadata.first_objects import ADMIN, first_objects
from dhis2_sandbox.metadata.question import MetadataOptions
from dhis2_sandbox.metadata.store import Members, MetadataStore
from dhis2_sandbox.sandbox import Sandbox
from dhis2_sandbox.versions import DIALECTS


_DISTRICT = Path(__file__).parent / "district"
_DAY_BEFORE = timedelta(days=1)
_ADMIN_UNITS = ("organisationUnits", "teiSearchOrganisationUnits", "dataViewOrganisationUnits")


@dataclass(frozen=True, slots=True)
class Superuser:
    """How the account `admin` proves itself; what is not given stays as the data file has it."""

    password: str | None = None
    token: str | None = None


def generated_superuser() -> Superuser:
    """Return a password and a token that nobody knows yet."""
    return Superuser(secrets.token_urlsafe(12), "d2p_" + secrets.token_urlsafe(32))


def open_sandbox(data: Path, version: str, clock: Clock, superuser: Superuser) -> Sandbox:
    """Open a data file, and make an empty one a new server."""
    database = Database(data)
    store = MetadataStore(database)
    accounts = Accounts(database, store)
    _fill_empty(store, first_objects(clock.stamp(), DIALECTS[version]))
    with database.writing() as connection:
        # Jobs live in the server's memory: a restart forgets them, and their reports.
        connection.execute("DELETE FROM job")
        connection.execute("INSERT OR IGNORE INTO setting VALUES ('systemId', ?)", (new_uid(),))
        if superuser.password is not None:
            accounts.set_password(connection, ("admin", ADMIN), superuser.password)
        if superuser.token is not None:
            accounts.set_token(connection, "admin", superuser.token)
    return Sandbox(database, store, accounts, clock, DIALECTS[version])


def make_old_server(data: Path, version: str, clock: Clock) -> None:
    """Make an empty data file a server whose default objects have UIDs of its own.

    Servers have them that are older than the fixed UIDs (metadata 2.5).
    """
    database = Database(data)
    first = first_objects(clock.stamp(), DIALECTS[version], old_defaults=True)
    _fill_empty(MetadataStore(database), first)
    database.close()


def _fill_empty(store: MetadataStore, first: dict[str, list[Members]]) -> None:
    if store.current().get("users", ADMIN) is not None:
        return
    with store.changing() as connection:
        for plural, objects in first.items():
            store.put(connection, plural, objects)


def has_superuser(data: Path) -> bool:
    """Tell whether the data file knows how its superuser proves itself."""
    if not data.exists():
        return False
    database = Database(data)
    with database.reading() as connection:
        found = connection.execute("SELECT 1 FROM credential WHERE username = 'admin'").fetchone()
    database.close()
    return found is not None


def fill_with_district(sandbox: Sandbox) -> None:
    """Import the district into an empty server, with the stamps of the day before.

    Raises:
        ValueError: if the server refuses a part of it.
    """
    if sandbox.metadata.all("organisationUnits"):
        return
    clock = replace(sandbox.clock, shift=sandbox.clock.shift - _DAY_BEFORE)
    metadata = _read("metadata.json")
    units = {"organisationUnits": metadata.pop("organisationUnits")}
    _import_metadata(sandbox, clock, units)
    _import_metadata(sandbox, clock, metadata)
    _open_units_to_admin(sandbox, units["organisationUnits"][0]["id"])
    tracker = _read("tracker.json")
    relationships = {"relationships": tracker.pop("relationships")}
    for part in (tracker, relationships):
        _import_tracker(sandbox, clock, part)


def _read(name: str) -> Members:
    body: Members = json.loads((_DISTRICT / name).read_text(encoding="utf-8"))
    return body


def _import_metadata(sandbox: Sandbox, clock: Clock, body: Members) -> None:
    rights = rights_of(sandbox.metadata.get("users", ADMIN) or {}, sandbox.metadata)
    status, _ = sandbox.metadata_importer(clock).take(body, rights, MetadataOptions())
    if status != 200:
        raise ValueError(f"the district's metadata was refused with {status}")


def _import_tracker(sandbox: Sandbox, clock: Clock, body: Members) -> None:
    rights = rights_of(sandbox.metadata.get("users", ADMIN) or {}, sandbox.metadata)
    text = json.dumps(body, ensure_ascii=False).encode()
    importer = sandbox.tracker_importer(clock)
    status, report = importer.take(text, sandbox.model, rights, TrackerOptions())
    if status != 200:
        codes = sorted({item["errorCode"] for item in report["validationReport"]["errorReports"]})
        raise ValueError(f"the district's tracker data was refused: {', '.join(codes)}")


def _open_units_to_admin(sandbox: Sandbox, root: str) -> None:
    admin = sandbox.metadata.get("users", ADMIN) or {}
    scope = {member: [{"id": root}] for member in _ADMIN_UNITS}
    with sandbox.store.changing() as connection:
        sandbox.store.put(connection, "users", [admin | scope])
