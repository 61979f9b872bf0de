"""The population: which people the bench reads, always the same ones.

On average 11.4 attributes, 1.3 enrollments, 7.9 events and 75 data values a person
(performance 1), with the explicit fields that our client asks for and no others.
"""

from __future__ import annotations

import json
import random
import string
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


Json = dict[str, Any]

PROGRAM, TYPE, ROOT, ELEMENT_COUNT = "progBench01", "typeBench01", "unitBench00", 60
STAGES = [f"stagBench{number:02}" for number in range(4)]
CLINICS = [f"unitBench{number:02}" for number in range(1, 21)]
ATTRIBUTES = [f"attrBench{number:02}" for number in range(12)]
ELEMENTS = [f"elemBench{number:02}" for number in range(ELEMENT_COUNT)]
USERS = ["a.ndiaye", "f.sow", "m.diop"]
TEXTS = ["Aïssatou", "Ndèye Fatou", "TDF_3TC_DTG", "true", "false", "1991-03-27", "Villa 3\nrue 34"]
STAMP = "2026-03-14T02:15:{:02}.{:03}"
_LETTERS, _SIGNS = string.ascii_letters, string.ascii_letters + string.digits


def people(count: int) -> Iterator[Json]:
    """Yield *count* people, each time the same ones."""
    maker = Maker(random.Random(2026))
    return (maker.person() for _ in range(count))


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes objects of DHIS2 from one sequence of chances."""

    chance: random.Random

    def uid(self) -> str:
        """Return a UID that nobody else has."""
        return self.chance.choice(_LETTERS) + "".join(self.chance.choices(_SIGNS, k=10))

    def person(self) -> Json:
        """Return a person with all below."""
        clinic = self.chance.choice(CLINICS)
        return {
            "trackedEntity": self.uid(),
            "trackedEntityType": TYPE,
            **self._stamps(geometry_of=0.05),
            "orgUnit": clinic,
            "inactive": False,
            "potentialDuplicate": False,
            "attributes": self._attributes(ATTRIBUTES[:5]),
            "enrollments": [
                self._enrollment(clinic) for _ in range(1 + (self.chance.random() < 0.3))
            ],
            "programOwners": [{"orgUnit": clinic, "program": PROGRAM}],
            "relationships": [],
        }

    def _enrollment(self, clinic: str) -> Json:
        return {
            "enrollment": self.uid(),
            "program": PROGRAM,
            "orgUnit": clinic,
            "status": "ACTIVE",
            "enrolledAt": "2026-02-01T00:00:00.000",
            "occurredAt": "2026-01-28T00:00:00.000",
            "followUp": False,
            **self._stamps(geometry_of=0.02),
            "attributes": self._attributes(self.chance.sample(ATTRIBUTES, k=5)),
            "events": [self._event(clinic) for _ in range(self.chance.randint(2, 10))],
            "notes": self._notes(0.1),
        }

    def _event(self, clinic: str) -> Json:
        who = {"assignedUser": {"username": self.chance.choice(USERS)}}
        return {
            "event": self.uid(),
            "program": PROGRAM,
            "programStage": self.chance.choice(STAGES),
            "orgUnit": clinic,
            "status": "COMPLETED",
            "occurredAt": "2026-03-01T00:00:00.000",
            "scheduledAt": "2026-03-02T00:00:00.000",
            "completedAt": "2026-03-03T00:00:00.000",
            "attributeOptionCombo": "HllvX50cXC0",
            **(who if self.chance.random() < 0.3 else {}),
            **self._stamps(geometry_of=0.05),
            "dataValues": [
                {"dataElement": element, "value": self._value(), "providedElsewhere": False}
                for element in self.chance.sample(ELEMENTS, k=self.chance.randint(6, 13))
            ],
            "notes": self._notes(0.05),
        }

    def _attributes(self, attributes: list[str]) -> list[Json]:
        return [{"attribute": attribute, "value": self._value()} for attribute in attributes]

    def _value(self) -> str:
        if self.chance.random() < 0.4:
            return self.chance.choice(TEXTS)
        return f"{self.chance.random() * 100:.1f}"

    def _stamps(self, *, geometry_of: float) -> Json:
        stamp = STAMP.format(self.chance.randrange(60), self.chance.randrange(1000))
        stamps = dict.fromkeys(("createdAt", "updatedAt", "updatedAtClient"), stamp)
        there = {"geometry": {"type": "Point", "coordinates": [-17.44, 14.69]}}
        return {
            **stamps,
            "storedBy": USERS[0],
            "deleted": False,
            **(there if self.chance.random() < geometry_of else {}),
        }

    def _notes(self, share: float) -> list[Json]:
        if self.chance.random() >= share:
            return []
        stamp = STAMP.format(30, 250)
        return [{"note": self.uid(), "storedAt": stamp, "value": "Vue à domicile ; à rappeler"}]


def as_bytes(row: Json) -> bytes:
    """Return *row* as DHIS2 writes it."""
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode()
