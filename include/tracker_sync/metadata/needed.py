"""The needed: what does the data of a route need, and what has the destination of it?"""

from __future__ import annotations

from dataclasses import dataclass, replace

from dhis2_api.client import Dhis2Client
from dhis2_api.dialects import Dialect
from tracker_sync.findings import Finding
from tracker_sync.metadata.closure import Closure, closure_of
from tracker_sync.metadata.data_there import DataThere
from tracker_sync.metadata.default_objects import default_objects
from tracker_sync.metadata.difference import Difference, difference, without_taken
from tracker_sync.metadata.holding import Holding, read_holding, read_names
from tracker_sync.metadata.mapped import translated
from tracker_sync.metadata.model import Model
from tracker_sync.metadata.modelling import model_of
from tracker_sync.metadata.references import roles_named
from tracker_sync.metadata.sides import Sides
from tracker_sync.metadata.source import Source
from tracker_sync.metadata.source_reading import read_source
from tracker_sync.route import Route


@dataclass(frozen=True, slots=True)
class Needed:
    """What the data needs, and what there is of it.

    Attributes:
        closure: All of it, in the source's names.
        sent: What of it is the route's to bring over, referring to the destination's names.
        holding: What the destination has.
        default: The source's default option combination.
        findings: What could not be read.
        sides: The two servers.
    """

    closure: Closure
    sent: Closure
    holding: Holding
    default: str
    findings: tuple[Finding, ...]
    sides: Sides

    @property
    def held(self) -> frozenset[tuple[str, str]]:
        """Class and UID of what the destination has of it."""
        return frozenset(
            (plural, uid) for plural, by_uid in self.holding.objects.items() for uid in by_uid
        )

    def compared(self) -> Difference:
        """Compare both sides as they were read."""
        return difference(self.sent.objects, self.holding.objects, self.sides)

    def model(self, dialect: Dialect) -> Model:
        """Return what the data has to know.

        Args:
            dialect: The destination's.
        """
        return replace(
            model_of(self.closure.objects, self.holding.objects),
            option_combos={self.default: self.holding.defaults["categoryOptionCombos"]},
            enrolled_options=dialect.enrolled_options,
        )


def read_needed(source: Dhis2Client, destination: Dhis2Client, route: Route) -> Needed:
    """Read both sides.

    Raises:
        UnexpectedAnswer: An answer was cut.
    """
    read = read_source(source, route, groups=route.metadata_sharing == "groups")
    defaults = default_objects(read.objects, source.name)
    # What the default objects are called there changes no object's name, so the closure says
    # what to ask for, and that answer says what they are called.
    called_alike = {uid: uid for uid in defaults.values()}
    closure = closure_of(read, route, called_alike)
    holding = _read_holding(destination, closure, route)
    known = {uid: holding.defaults[plural] for plural, uid in defaults.items()}
    if known != called_alike:
        closure = closure_of(read, route, known)
    mapped = route.mapping.uids()
    sent = closure_of(read, route, {**known, **mapped}) if mapped else closure
    sides = replace(
        _sides(read, holding, route),
        source=source.dialect.version,
        destination=destination.dialect.version,
        holds_data=DataThere(destination).holds,
    )
    default = defaults["categoryOptionCombos"]
    return Needed(closure, sent, holding, default, tuple(read.findings), sides)


def read_again(destination: Dhis2Client, needed: Needed, route: Route) -> Needed:
    """Return the same with what the destination has by now."""
    return replace(needed, holding=_read_holding(destination, needed.closure, route))


def with_names(destination: Dhis2Client, needed: Needed) -> Difference:
    """Compare both sides, and look whether what is new is called as something else there."""
    found = needed.compared()
    names = read_names(destination, found)
    return without_taken(found, needed.sent.objects, names, needed.sides)


def _sides(read: Source, holding: Holding, route: Route) -> Sides:
    mapped = route.mapping.uids()
    return Sides(
        defaults=frozenset(holding.defaults.values()),
        mirror=route.metadata_extras == "mirror",
        mapped=frozenset(mapped.values()),
        reached=frozenset(mapped.get(uid, uid) for uid in read.scope.reached),
    )


def _read_holding(destination: Dhis2Client, closure: Closure, route: Route) -> Holding:
    named = translated(closure.objects, route.mapping)
    roots = [route.mapping.there("org_units", uid) for uid in route.org_units]
    roles = {role for *_, role in roles_named(closure.objects)}
    return read_holding(destination, named, roots, roles)
