"""The classes: how are objects of several classes read with as few requests as there can be?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from dhis2_api.client import Dhis2Client
from dhis2_api.errors import UnexpectedAnswer
from dhis2_api.metadata import Fields, batches


#: The classes a program can need; every version since 2.38 has them. A server skips a name it
#: doesn't know and, if it knows none of a request, exports everything (metadata 1.2).
KNOWN = frozenset(
    {
        "attributes",
        "categories",
        "categoryCombos",
        "categoryOptionCombos",
        "categoryOptions",
        "constants",
        "dataElements",
        "dataEntryForms",
        "legendSets",
        "optionGroups",
        "optionSets",
        "options",
        "organisationUnitGroups",
        "organisationUnits",
        "programIndicators",
        "programRuleActions",
        "programRuleVariables",
        "programRules",
        "programSections",
        "programStageSections",
        "programStages",
        "programs",
        "relationshipTypes",
        "trackedEntityAttributes",
        "trackedEntityTypes",
        "userGroups",
        "userRoles",
    }
)

#: A URL above 8,000 characters does not pass (measured); the address and the path come on top.
_LONGEST = 7_000


@dataclass(frozen=True, slots=True)
class Asked:
    """Which objects of a class are wanted.

    Attributes:
        plural: The class, one of `KNOWN`.
        test: Its filter; `id:in` and the like go with *values*; empty for all objects.
        values: What the test lists.
        fields: Which fields, e.g. `:owner`.
    """

    plural: str
    test: str = ""
    values: tuple[str, ...] = ()
    fields: str = ":owner"

    @property
    def params(self) -> dict[str, str]:
        """The class's part of a request."""
        listed = f":[{','.join(self.values)}]" if self.values else ""
        test = {f"{self.plural}:filter": f"{self.test}{listed}"} if self.test else {}
        return {f"{self.plural}:fields": self.fields, **test}


def read_many(client: Dhis2Client, asked: Sequence[Asked]) -> dict[Asked, dict[str, Fields]]:
    """Return the objects that exist and that the account may read, by UID, of each asked.

    Args:
        client: The server.
        asked: What is wanted; a class may stand in it several times.

    Raises:
        UnexpectedAnswer: The server answered no objects, or others than asked for.
        ValueError: A class that some version may not know.
    """
    if unknown := {one.plural for one in asked} - KNOWN:
        raise ValueError(f"no version is known to have the classes {sorted(unknown)}")
    found: dict[Asked, dict[str, Fields]] = {one: {} for one in asked}
    for together in _requests(asked):
        params = {name: text for _, piece in together for name, text in piece.params.items()}
        answer = client.get("/api/metadata", params)
        client.learn_version(answer)
        for one, piece in together:
            found[one] |= _objects(client, piece, answer)
    return found


def _objects(client: Dhis2Client, asked: Asked, answer: object) -> dict[str, Fields]:
    where = f"{client.name}: GET /api/metadata"
    rows = answer.get(asked.plural, []) if isinstance(answer, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) and "id" in row for row in rows):
        raise UnexpectedAnswer(f"{where} answered no list of {asked.plural}")
    by_uid = {str(row["id"]): row for row in rows}
    if asked.test == "id:in" and not by_uid.keys() <= set(asked.values):
        raise UnexpectedAnswer(f"{where} answered other {asked.plural} than asked for")
    return by_uid


def _requests(asked: Sequence[Asked]) -> Iterator[list[tuple[Asked, Asked]]]:
    """Put together what fits into one URL, each piece with what it is of.

    A class has one filter in a request.
    """
    waiting = [(one, piece) for one in asked for piece in _pieces(one)]
    while waiting:
        together: list[tuple[Asked, Asked]] = []
        later: list[tuple[Asked, Asked]] = []
        for pair in waiting:
            fits = _goes_with([piece for _, piece in together], pair[1])
            (together if fits else later).append(pair)
        yield together
        waiting = later


def _pieces(asked: Asked) -> Iterator[Asked]:
    if not asked.test.endswith(":in"):
        yield asked
    yield from (replace(asked, values=values) for values in batches(asked.values))


def _goes_with(together: list[Asked], piece: Asked) -> bool:
    if not together:
        return True
    params = {name: text for one in (*together, piece) for name, text in one.params.items()}
    alone = piece.plural not in {one.plural for one in together}
    return alone and len(urlencode(params)) <= _LONGEST
