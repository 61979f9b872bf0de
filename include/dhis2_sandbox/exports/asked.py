"""What do the tracker listings have in common?"""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from dhis2_sandbox.access.rights import METADATA_READ, Rights
from dhis2_sandbox.dialect import Dialect
from dhis2_sandbox.exports.listing import Listing
from dhis2_sandbox.exports.parameters import Parameters
from dhis2_sandbox.exports.scope import Scope, readable_program, scope_of
from dhis2_sandbox.http.answers import Refused
from dhis2_sandbox.imports.access_checks import is_open_to
from dhis2_sandbox.metadata.model import Model
from dhis2_sandbox.metadata.store import Members


STAMPS = {
    "createdAt": "t.created_at",
    "createdAtClient": "t.created_at_client",
    "updatedAt": "t.updated_at",
    "updatedAtClient": "t.updated_at_client",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """One request for a listing, and who makes it."""

    parameters: Parameters
    model: Model
    rights: Rights
    dialect: Dialect

    @property
    def program(self) -> Members | None:
        """The program the listing is limited to."""
        uid = self.parameters.text("program")
        return None if uid is None else readable_program(uid, self.model, self.rights)

    @property
    def entity_type(self) -> str | None:
        """The tracked entity type the listing is limited to.

        Raises:
            Refused: 400 if it is not there for this account.
        """
        uid = self.parameters.text("trackedEntityType")
        known = self.model.entity_type(uid)
        if uid is not None and (known is None or not self.rights.may(METADATA_READ, known)):
            message = f"Tracked entity type is specified but does not exist: {uid}"
            raise Refused(400, message, "E1003")
        return uid

    def scope(self, endpoint: str) -> Scope:
        """Return the org units of the listing."""
        return scope_of(self.parameters, endpoint, (self.model, self.rights), self.dialect)

    def uids(self, endpoint: str) -> list[str]:
        """Return the objects that the request names."""
        return self.parameters.listed_by(self.dialect.uid_lists[endpoint])

    def illegal(self, message: str) -> Refused:
        """Return the refusal of a query that makes no sense."""
        status, code = self.dialect.illegal_query
        return Refused(status, message, code)


def as_json(values: Iterable[str]) -> str:
    """Return the values as SQLite's json_each takes them."""
    return json.dumps(list(values))


def reach_of(scope: Scope, program: Members | None) -> frozenset[str] | None:
    """Return the owner's org units that are asked for and open in the program; None for all."""
    if program is None or scope.rights.superuser:
        return scope.org_units
    open_units = frozenset(
        unit["id"]
        for unit in scope.model.metadata.all("organisationUnits")
        if is_open_to(scope.rights, program, unit["path"])
    )
    return open_units if scope.org_units is None else scope.org_units & open_units


def owner_checked_after_page(asked: Asked, endpoint: str) -> bool:
    """Tell whether a page is cut before the owner is looked at, and so may come out short."""
    return endpoint in asked.dialect.owner_checked_after_page


def enrolled(listing: Listing, parameters: Parameters, alias: str) -> None:
    """Add what a request asks of enrollments, on the table that the alias names."""
    if parameters.text("followUp") is not None:
        listing.where(f"{alias}.follow_up = ?", parameters.flag("followUp"))
    for member, column in (("Enrolled", "enrolled_at"), ("Occurred", "occurred_at")):
        after = parameters.time(f"enrollment{member}After")
        before = parameters.time(f"enrollment{member}Before", upper=True)
        listing.between(f"{alias}.{column}", after, before)
