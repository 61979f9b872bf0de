"""What does an ownership transfer change?"""

from dhis2_sandbox.access.rights import DATA_WRITE, Rights
from dhis2_sandbox.http.answers import Refused
from dhis2_sandbox.imports.access_checks import is_open_to
from dhis2_sandbox.sandbox import Sandbox


def transfer(sandbox: Sandbox, rights: Rights, owned: tuple[str, str], org_unit: str) -> None:
    """Make the org unit the owner; an unknown one changes nothing, and is not refused (measured).

    Args:
        sandbox: the server.
        rights: who asks.
        owned: the person and the program.
        org_unit: the new owner.

    Raises:
        Refused: 404 for a person or program that is not there, 403 without access to the owner;
            from 2.43, 404 for no org unit and 400 for the present owner.
    """
    entity, program_uid = owned
    program, path = sandbox.model.program(program_uid), sandbox.model.path(org_unit)
    with sandbox.database.writing() as connection:
        person = connection.execute(
            "SELECT * FROM entity WHERE uid = ? AND deleted = 0", (entity,)
        ).fetchone()
        if person is None or program is None:
            kind, uid = ("TrackedEntity", entity) if person is None else ("Program", program_uid)
            raise Refused(404, f"{kind} with id {uid} could not be found.", "E1005")
        owner = connection.execute(
            "SELECT org_unit FROM owner WHERE entity = ? AND program = ?", owned
        ).fetchone()
        place = sandbox.model.path(owner["org_unit"] if owner else person["org_unit"]) or ""
        open_to = rights.superuser or is_open_to(rights, program, place)
        if not (open_to and rights.may(DATA_WRITE, program)):
            raise Refused(403, "User does not have access to change ownership", "E1006")
        if sandbox.dialect.transfer_checked:
            _check_change(owned, path, owner and owner["org_unit"], org_unit)
        if path is None:
            return
        connection.execute("INSERT OR REPLACE INTO owner VALUES (?, ?, ?)", (*owned, org_unit))
        if sandbox.dialect.transfer_moves_stamp:
            connection.execute(
                "UPDATE entity SET updated_at = ? WHERE uid = ?", (sandbox.clock.stamp(), entity)
            )


def _check_change(
    owned: tuple[str, str], path: str | None, owner: str | None, org_unit: str
) -> None:
    if path is None:
        message = "Tracked entity not transferred. Org unit supplied does not exist."
        raise Refused(404, message, "E1005")
    if owner == org_unit:
        entity, program = owned
        message = (
            f"Tracked entity not transferred. The owner of the tracked entity {entity} "
            f"and program {program} is already {org_unit}"
        )
        raise Refused(400, message, "E1003")
