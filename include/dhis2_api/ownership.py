"""The owners: which org unit a person belongs to in a program, and how that changes."""

from __future__ import annotations

from dhis2_api.answers import refuse_if_broken, refuse_unless_done
from dhis2_api.client import Dhis2Client
from dhis2_api.errors import PermanentError, UnexpectedAnswer


def read_owner(client: Dhis2Client, tracked_entity: str, program: str) -> str | None:
    """Return the org unit that owns a person in a program; nothing without an enrollment there.

    Raises:
        RequestRefused: 404, the person is not there, or deleted.
        UnexpectedAnswer: The answer is none about a person.
    """
    path = f"/api/tracker/trackedEntities/{tracked_entity}"
    params = {"program": program, "fields": "trackedEntity,programOwners"}
    person = client.get(path, params)
    owners = person.get("programOwners") if isinstance(person, dict) else None
    if not isinstance(owners, list) or not all(map(_is_owner, owners)):
        raise UnexpectedAnswer(f"{client.name}: GET {path} answered no `programOwners`")
    return next((str(o["orgUnit"]) for o in owners if o["program"] == program), None)


def transfer_owner(client: Dhis2Client, tracked_entity: str, program: str, org_unit: str) -> bool:
    """Make an org unit the owner of a person in a program; return whether it was not before.

    It is read before, since 2.43 refuses the present owner, and after, since the older
    ones answer 200 for an org unit that does not exist (measured: Writing).

    Raises:
        PermanentError: The server did not do it, or broke down at it (500), or the person has
            no owner there yet.
        TransientError: The outcome is unknown; transferring again does no harm.
        UnexpectedAnswer: An answer is none about owners.
    """
    before = read_owner(client, tracked_entity, program)
    if before == org_unit:
        return False
    dialect = client.dialect
    params = {dialect.owned: tracked_entity, "program": program, dialect.owner: org_unit}
    answer = client.request("PUT", "/api/tracker/ownership/transfer", params=params, also={500})
    if answer.status != 500:
        refuse_unless_done(answer, 200)
    if read_owner(client, tracked_entity, program) != org_unit:
        refuse_if_broken(answer)
        raise PermanentError(
            f"{client.name}: {tracked_entity} was not transferred to {org_unit} in program "
            f"{program}: check that the org unit exists and that the person is enrolled"
        )
    return True


def _is_owner(owner: object) -> bool:
    if not isinstance(owner, dict):
        return False
    return all(isinstance(owner.get(key), str) for key in ("program", "orgUnit"))
