"""Others who write to the source while it is read, and an account of what they wrote.

Everything that is written carries a number that only grows, so that a staged copy can be
held against what the source came to: it must carry that number, or a later one.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any, Literal

from dhis2_sandbox.access.rights import Rights, rights_of
from dhis2_sandbox.imports.options import TrackerOptions
from dhis2_sandbox.imports.ownership import transfer
from dhis2_sandbox.metadata.first_objects import ADMIN
from servers import HIV, PERSON, SURVEILLANCE
from simulation.source import Source


FIRST_NAME, NATIONAL_ID = "igrbHRNTbIn", "kd7nkrMgEfm"
FOLLOW_UP, WEIGHT = "NQAzEAcicmY", "ol1WpmrN6NG"
CASE, AGE, RESULT = "cPInfvgfsFJ", "K1Kk4mmfqIm", ("nEHoqPyvxSS", "POS")
DAY_ONE = date(2020, 1, 1)
NO_TIME = timedelta(0)

Kind = Literal["TRACKED_ENTITY", "ENROLLMENT", "EVENT"]


@dataclass(slots=True)
class Fact:
    """What the source holds of one object.

    Attributes:
        kind: What it is.
        number: The number it carries.
        above: The object it stands under.
        deleted: Whether it is a tombstone.
        owner: For an enrollment, the org unit that owns the person in the program.
    """

    kind: Kind
    number: int
    above: str = ""
    deleted: bool = False
    owner: str = ""


@dataclass(slots=True)
class Writers:
    """Those who write, by a seed.

    Attributes:
        source: Where to.
        draws: What they do is drawn from it.
        latest: How old the stamp of a late commit may be.
        rights: The superuser's.
        places: The org units.
        facts: What the source holds, by UID.
        transfers: How often a person was given to another owner, which moves no stamp
            before 2.43 (measured).
    """

    source: Source
    draws: random.Random
    latest: timedelta
    rights: Rights = field(init=False)
    places: list[str] = field(init=False)
    facts: dict[str, Fact] = field(default_factory=dict)
    transfers: int = 0
    _number: int = 0

    def __post_init__(self) -> None:
        metadata = self.source.sandbox.metadata
        self.rights = rights_of(metadata.get("users", ADMIN) or {}, metadata)
        self.places = sorted(unit["id"] for unit in metadata.all("organisationUnits"))

    def settle_in(self, people: int) -> None:
        """Write the people and events that are there from the beginning."""
        for _ in range(people):
            self.add_person(NO_TIME)
            self.add_case(NO_TIME)
            self.add_case(NO_TIME)

    def meanwhile(self) -> None:
        """Let a little time pass, and sometimes somebody write."""
        self.source.hands.now += timedelta(seconds=self.draws.uniform(0.2, 20))
        for _ in range(self.draws.randrange(6)):
            self.act()

    def act(self) -> None:
        """Do one of the things people do; one in three commits late."""
        late = self.draws.random() < 1 / 3
        age = self.latest * self.draws.random() if late else NO_TIME
        deeds: list[Callable[[timedelta], None]] = [
            *[self.edit_person, self.edit_event, self.edit_enrollment] * 3,
            *[self.edit_case] * 9,  # which one list alone names
            *[self.add_person, self.add_event, self.add_case] * 2,
            *[self.delete_event, self.delete_enrollment, self.delete_person, self.delete_case],
            self.give_away,
        ]
        self.draws.choice(deeds)(age)

    def add_person(self, age: timedelta) -> None:
        person, enrollment, event = self._uid("P"), self._uid("N"), self._uid("E")
        self._write(age, trackedEntities=[self._person(person)])
        self._write(age, enrollments=[self._enrollment(enrollment, person)])
        self._write(age, events=[self._event(event, enrollment)])

    def add_event(self, age: timedelta) -> None:
        for enrollment in self._some("ENROLLMENT"):
            self._write(age, events=[self._event(self._uid("E"), enrollment)])

    def add_case(self, age: timedelta) -> None:
        self._write(age, events=[self._case(self._uid("C"))])

    def edit_person(self, age: timedelta) -> None:
        for person in self._some("TRACKED_ENTITY"):
            self._write(age, trackedEntities=[self._person(person)])

    def edit_enrollment(self, age: timedelta) -> None:
        for enrollment in self._some("ENROLLMENT"):
            above = self.facts[enrollment].above
            self._write(age, enrollments=[self._enrollment(enrollment, above)])

    def edit_event(self, age: timedelta) -> None:
        for event in self._some("EVENT", under_somebody=True):
            self._write(age, events=[self._event(event, self.facts[event].above)])

    def edit_case(self, age: timedelta) -> None:
        for event in self._some("EVENT", under_somebody=False):
            self._write(age, events=[self._case(event)])

    def delete_person(self, age: timedelta) -> None:
        for person in self._some("TRACKED_ENTITY"):
            self._delete(age, trackedEntities=[{"trackedEntity": person}])
            self._bury(person)

    def delete_enrollment(self, age: timedelta) -> None:
        for enrollment in self._some("ENROLLMENT"):
            self._delete(age, enrollments=[{"enrollment": enrollment}])
            self._bury(enrollment)

    def delete_event(self, age: timedelta) -> None:
        for event in self._some("EVENT", under_somebody=True):
            self._delete(age, events=[{"event": event}])
            self._bury(event)

    def delete_case(self, age: timedelta) -> None:
        for event in self._some("EVENT", under_somebody=False):
            self._delete(age, events=[{"event": event}])
            self._bury(event)

    def give_away(self, age: timedelta) -> None:
        """Transfer a person's ownership, which is never late: it is one small statement."""
        del age
        for enrollment in self._some("ENROLLMENT"):
            fact = self.facts[enrollment]
            fact.owner = self._place(but=fact.owner)
            transfer(self.source.sandbox, self.rights, (fact.above, HIV), fact.owner)
            self.transfers += 1

    def _person(self, uid: str) -> dict[str, Any]:
        number = self._next(uid, "TRACKED_ENTITY")
        attributes = [
            {"attribute": FIRST_NAME, "value": str(number)},
            {"attribute": NATIONAL_ID, "value": uid},
        ]
        return {
            "trackedEntity": uid,
            "trackedEntityType": PERSON,
            "orgUnit": self._place(),
            "attributes": attributes,
        }

    def _enrollment(self, uid: str, person: str) -> dict[str, Any]:
        number = self._next(uid, "ENROLLMENT", person)
        fact = self.facts[uid]
        fact.owner = fact.owner or self._place()
        return {
            "enrollment": uid,
            "trackedEntity": person,
            "program": HIV,
            "orgUnit": fact.owner,
            "enrolledAt": "2025-09-17",
            "occurredAt": (DAY_ONE + timedelta(days=number)).isoformat(),
            "attributes": [{"attribute": NATIONAL_ID, "value": person}],
        }

    def _event(self, uid: str, enrollment: str) -> dict[str, Any]:
        number = self._next(uid, "EVENT", enrollment)
        return {
            "event": uid,
            "enrollment": enrollment,
            "program": HIV,
            "programStage": FOLLOW_UP,
            "orgUnit": self._place(),
            "occurredAt": "2025-10-01",
            "dataValues": [{"dataElement": WEIGHT, "value": str(number)}],
        }

    def _case(self, uid: str) -> dict[str, Any]:
        number = self._next(uid, "EVENT")
        values = [{"dataElement": RESULT[0], "value": RESULT[1]}]
        return {
            "event": uid,
            "program": SURVEILLANCE,
            "programStage": CASE,
            "orgUnit": self._place(),
            "occurredAt": "2025-10-01",
            "dataValues": [*values, {"dataElement": AGE, "value": str(number)}],
        }

    def _write(self, age: timedelta, **payload: Any) -> None:
        self._import(payload, age, TrackerOptions())

    def _delete(self, age: timedelta, **payload: Any) -> None:
        self._import(payload, age, TrackerOptions(strategy="DELETE"))

    def _import(self, payload: dict[str, Any], age: timedelta, options: TrackerOptions) -> None:
        sandbox = self.source.sandbox
        clock = replace(sandbox.clock, shift=sandbox.clock.shift - age)
        body = json.dumps(payload).encode()
        importer = sandbox.tracker_importer(clock)
        status, report = importer.take(body, sandbox.model, self.rights, options)
        assert status == 200, report["validationReport"]

    def _some(self, kind: Kind, *, under_somebody: bool = True) -> Iterable[str]:
        """Return one living object of a kind, or none if there is none."""
        living = [
            uid
            for uid, fact in self.facts.items()
            if fact.kind == kind
            and not fact.deleted
            and (kind != "EVENT" or bool(fact.above) == under_somebody)
        ]
        return [self.draws.choice(living)] if living else []

    def _bury(self, uid: str) -> None:
        self.facts[uid].deleted = True
        for below, fact in self.facts.items():
            if fact.above == uid and not fact.deleted:
                self._bury(below)

    def _next(self, uid: str, kind: Kind, above: str = "") -> int:
        self._number += 1
        fact = self.facts.setdefault(uid, Fact(kind, 0, above))
        fact.number = self._number
        return self._number

    def _uid(self, letter: str) -> str:
        return f"{letter}{self._number:04}{self.draws.randrange(10**6):06}"

    def _place(self, but: str = "") -> str:
        return self.draws.choice([place for place in self.places if place != but])
