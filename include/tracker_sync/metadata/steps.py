"""The steps: with which requests do the changes go, so that each finds what it refers to?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from dhis2_api.metadata import Fields
from tracker_sync.metadata.classes import Objects
from tracker_sync.metadata.difference import Change
from tracker_sync.metadata.merging import merged
from tracker_sync.metadata.sharing import shared


Payload = Mapping[str, Sequence[Fields]]

#: What refers to nothing else of the closure and is referred to by all of it.
_FIRST = frozenset({"organisationUnits", "userGroups"})


@dataclass(frozen=True, slots=True)
class Step:
    """One request.

    Attributes:
        payload: Its objects by class.
        keep_sharing: Whether what is there keeps its sharing.
    """

    payload: Payload
    keep_sharing: bool = False

    @property
    def names(self) -> frozenset[tuple[str, str]]:
        """Class and UID of each object."""
        return frozenset(
            (plural, fields["id"]) for plural, objects in self.payload.items() for fields in objects
        )


def steps_of(
    changes: Sequence[Change], ours: Objects, theirs: Objects, sharing: str = "public"
) -> list[Step]:
    """Return the requests, in their order: org units and groups, all that is new, the rest.

    A new object that refers to a changed one finds it there; a changed one that refers to a
    new one comes after it. The two can't be one request: sharing is sent with what is new and
    must not be with what is there (metadata 2.4).

    Args:
        changes: What to send.
        ours: The closure they come from.
        theirs: What the destination had of it.
        sharing: The route's `metadata_sharing`.
    """
    first = [change for change in changes if change.plural in _FIRST]
    rest = [change for change in changes if change.plural not in _FIRST]
    news = [change for change in rest if change.is_new]
    others = [change for change in rest if not change.is_new]
    parts = [(first, False), (news, False), (others, True)]
    return [
        Step(_shared(payload_of(part, ours, theirs), part, ours, sharing), keep)
        for part, keep in parts
        if part
    ]


def to_validate(steps: Sequence[Step]) -> Iterator[Step]:
    """Give what is looked at before the first commit: each step on top of those before it.

    So nothing at all is written if one object is refused. One look is enough for steps that
    handle sharing alike.
    """
    for number, step in enumerate(steps):
        if step.keep_sharing not in [later.keep_sharing for later in steps[number + 1 :]]:
            yield Step(_together(steps[: number + 1]), step.keep_sharing)


def payload_of(
    changes: Sequence[Change], ours: Objects, theirs: Objects
) -> dict[str, list[Fields]]:
    """Return what to send for changes: their objects by class.

    An option set goes with all its options, numbered in its order: a server
    numbers them anew with every import of the set (measured on 2.42). An option that
    goes before its set stands behind those that are there.
    """
    payload: dict[str, dict[str, Fields]] = defaultdict(dict)
    for change in changes:
        payload[change.plural][change.uid] = change.payload
    for uid in payload.get("options", {}).keys() - theirs.get("options", {}).keys():
        option = payload["options"][uid]
        payload["options"][uid] = option | {"sortOrder": _behind(option, ours, theirs)}
    for option_set in payload.get("optionSets", {}).values():
        for rank, option in enumerate(option_set.get("options", []), start=1):
            uid = option["id"]
            fields = payload["options"].get(uid) or _carried(uid, ours, theirs)
            if fields:
                payload["options"][uid] = fields | {"sortOrder": rank}
    return {plural: list(by_uid.values()) for plural, by_uid in payload.items() if by_uid}


def _carried(uid: str, ours: Objects, theirs: Objects) -> Fields | None:
    fields, present = ours.get("options", {}).get(uid), theirs.get("options", {}).get(uid)
    return merged("options", dict(fields), dict(present or {})) if fields else None


def _behind(option: Fields, ours: Objects, theirs: Objects) -> int:
    uid = str((option.get("optionSet") or {}).get("id"))
    mine = ours.get("optionSets", {}).get(uid, {}).get("options") or []
    there = theirs.get("optionSets", {}).get(uid, {}).get("options") or []
    ranks = [row["id"] for row in mine]
    return len(there) + (ranks.index(option["id"]) if option["id"] in ranks else len(ranks)) + 1


def _shared(payload: Payload, changes: Iterable[Change], ours: Objects, sharing: str) -> Payload:
    news = {(change.plural, change.uid) for change in changes if change.is_new}
    return {
        plural: [
            shared(plural, fields, ours[plural][fields["id"]], sharing)
            if (plural, fields["id"]) in news
            else fields
            for fields in objects
        ]
        for plural, objects in payload.items()
    }


def _together(steps: Sequence[Step]) -> Payload:
    payload: dict[str, dict[str, Fields]] = defaultdict(dict)
    for step in steps:
        for plural, objects in step.payload.items():
            payload[plural] |= {fields["id"]: fields for fields in objects}
    return {plural: list(by_uid.values()) for plural, by_uid in payload.items()}
