"""Which org units may a listing show, and which does it ask for?"""

from dataclasses import dataclass

from dhis2_sandbox.access.rights import DATA_READ, METADATA_READ, Rights
from dhis2_sandbox.dialect import Dialect
from dhis2_sandbox.exports.parameters import Parameters
from dhis2_sandbox.http.answers import Refused
from dhis2_sandbox.metadata.model import Model
from dhis2_sandbox.metadata.store import Members


_SEARCH_EVERYWHERE = "F_TRACKED_ENTITY_INSTANCE_SEARCH_IN_ALL_ORGUNITS"
_WITHOUT_UNITS = frozenset({"ACCESSIBLE", "CAPTURE", "ALL"})


@dataclass(frozen=True, slots=True)
class Scope:
    """Who asks, by which metadata, for which org units: None stands for all of them."""

    model: Model
    rights: Rights
    org_units: frozenset[str] | None


def scope_of(
    parameters: Parameters, endpoint: str, who: tuple[Model, Rights], dialect: Dialect
) -> Scope:
    """Return the org units of a listing.

    Raises:
        Refused: as recorded in 030, 133, 214 and 215.
    """
    model, rights = who
    named = parameters.listed_by(dialect.org_units[endpoint])
    mode = _mode(parameters, endpoint, dialect) or ("SELECTED" if named else "ACCESSIBLE")
    forbidden, forbidden_code = dialect.forbidden_query
    if not rights.capture and mode != "ALL":
        message = "User needs to be assigned data capture org units"
        raise Refused(forbidden, message, forbidden_code)
    if mode in _WITHOUT_UNITS and named:
        raise Refused(400, f"orgUnitMode {mode} cannot be used with org units", "E1003")
    for uid in named:
        _check_unit(uid, model, rights)
    if mode == "ALL":
        if not rights.has(_SEARCH_EVERYWHERE):
            message = "User is not authorized to query across all organisation units"
            raise Refused(forbidden, message, forbidden_code)
        return Scope(model, rights, None)
    return Scope(model, rights, frozenset(_covered(mode, named, model, rights)))


def _mode(parameters: Parameters, endpoint: str, dialect: Dialect) -> str | None:
    """Return the mode that the request names.

    Raises:
        Refused: until 2.40, 409 for people without mode, org unit and UIDs (recordings: 129).
    """
    named = [parameters.text(name) for name in dialect.org_unit_modes if parameters.text(name)]
    lists = dialect.org_units[endpoint], dialect.uid_lists[endpoint]
    told = named or any(parameters.listed_by(names) for names in lists)
    if dialect.org_unit_required and endpoint == "trackedEntities" and not told:
        status, code = dialect.illegal_query
        raise Refused(status, "At least one organisation unit must be specified", code)
    return named[0] if named else None


def _check_unit(uid: str, model: Model, rights: Rights) -> None:
    path = model.path(uid)
    if path is None:
        raise Refused(400, f"Organisation unit does not exist: {uid}", "E1003")
    if not (rights.superuser or rights.searches(path)):
        raise Refused(403, f"Organisation unit is not part of the search scope: {uid}", "E1006")


def _covered(mode: str, named: list[str], model: Model, rights: Rights) -> list[str]:
    if mode == "ACCESSIBLE":
        return model.below_paths(rights.search or rights.capture)
    if mode == "CAPTURE":
        return model.below_paths(rights.capture)
    if not named:
        message = f"At least one org unit is required for orgUnitMode: {mode}"
        raise Refused(400, message, "E1003")
    if mode == "SELECTED":
        return named
    if mode == "CHILDREN":
        return [uid for unit in named for uid in model.children(unit)]
    if mode == "DESCENDANTS":
        return model.descendants(named)
    raise Refused(400, f"Value '{mode}' is not valid for parameter orgUnitMode.")


def readable_program(uid: str, model: Model, rights: Rights) -> Members:
    """Return the program that a listing names.

    Raises:
        Refused: 400 if it is not there for this account (recordings: 132, 392), 403 if its data
            may not be read.
    """
    program = model.program(uid)
    if program is None or not rights.may(METADATA_READ, program):
        raise Refused(400, f"Program is specified but does not exist: {uid}", "E1003")
    if not rights.may(DATA_READ, program):
        message = f"Current user is not authorized to read data from selected program: {uid}"
        raise Refused(403, message, "E1006")
    return program


def readable_programs(model: Model, rights: Rights) -> list[str]:
    """Return the programs whose data the account may read."""
    every = model.metadata.all("programs")
    return [program["id"] for program in every if rights.may(DATA_READ, program)]


def readable_stages(model: Model, rights: Rights) -> list[str]:
    """Return the program stages whose data the account may read."""
    every = model.metadata.all("programStages")
    return [stage["id"] for stage in every if rights.may(DATA_READ, stage)]
