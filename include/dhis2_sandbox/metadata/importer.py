"""What becomes of a metadata payload?

The order is DHIS2's: everything is checked before anything is stored; with atomicMode ALL one
refused object refuses them all (recordings: 011 to 021, 222).
"""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dhis2_sandbox.access.accounts import Accounts
from dhis2_sandbox.access.rights import Rights
from dhis2_sandbox.clock import Clock
from dhis2_sandbox.http.answers import Refused
from dhis2_sandbox.identifiers import new_uid
from dhis2_sandbox.metadata.checks import Question, problems_of
from dhis2_sandbox.metadata.classes import CLASSES
from dhis2_sandbox.metadata.first_objects import DEFAULT_UIDS
from dhis2_sandbox.metadata.links import relink
from dhis2_sandbox.metadata.members import sharing_of, stored_form
from dhis2_sandbox.metadata.problems import MetadataProblem
from dhis2_sandbox.metadata.report import Verdict, report_of
from dhis2_sandbox.metadata.store import Members, MetadataStore


_STRATEGIES = ("CREATE_AND_UPDATE", "CREATE", "UPDATE", "DELETE")


@dataclass(frozen=True, slots=True)
class MetadataOptions:
    """How a payload is to be taken; an unknown word is the default (measured)."""

    validate_only: bool = False
    atomic: bool = True
    strategy: str = "CREATE_AND_UPDATE"
    skip_sharing: bool = False


def options_from(parameters: Mapping[str, str]) -> MetadataOptions:
    """Read the parameters: a misspelt importMode commits, as on a real server."""
    strategy = parameters.get("importStrategy", "")
    return MetadataOptions(
        validate_only=parameters.get("importMode") == "VALIDATE",
        atomic=parameters.get("atomicMode") != "NONE",
        strategy=strategy if strategy in _STRATEGIES else "CREATE_AND_UPDATE",
        skip_sharing=parameters.get("skipSharing") == "true",
    )


@dataclass(frozen=True, slots=True)
class MetadataImporter:
    """Takes payloads of metadata in."""

    store: MetadataStore
    accounts: Accounts
    clock: Clock

    def take(self, body: Any, rights: Rights, options: MetadataOptions) -> tuple[int, Members]:
        """Import a payload and return the HTTP status and the WebMessage's own members."""
        payload = _known_objects(body if isinstance(body, dict) else {})
        verdicts = self._judge(payload, rights, options)
        refused = any(verdict.problems for verdict in verdicts)
        blocked = refused and options.atomic
        if not (options.validate_only or blocked):
            self._store(verdicts, rights, options)
        return report_of(verdicts, blocked=blocked)

    def _judge(
        self, payload: Mapping[str, Sequence[Members]], rights: Rights, options: MetadataOptions
    ) -> list[Verdict]:
        metadata = self.store.current()
        verdicts = []
        for plural, items in payload.items():
            for index, item in enumerate(items):
                question = Question(plural, item, payload, metadata, rights, options.strategy)
                found = tuple(problems_of(question))
                verdicts.append(
                    Verdict(plural, index, item, question.stored, found, options.strategy)
                )
        return verdicts

    def _store(self, verdicts: Sequence[Verdict], rights: Rights, options: MetadataOptions) -> None:
        metadata = self.store.current()
        author = metadata.get("users", rights.uid) or {"id": rights.uid}
        with self.store.changing() as connection:
            for verdict in verdicts:
                if verdict.is_stored:
                    self._store_one(connection, verdict, author, skip=options.skip_sharing)
            self.store.refresh()
            relink(self.store, connection)

    def _store_one(
        self, connection: sqlite3.Connection, verdict: Verdict, author: Members, *, skip: bool
    ) -> None:
        plural, item = verdict.plural, verdict.item
        if verdict.strategy == "DELETE":
            self.store.remove(connection, plural, item["id"])
            return
        whole = _without(item, verdict.problems)
        own = stored_form(plural, whole, verdict.stored, author, self.clock)
        if CLASSES[plural].shared:
            own["sharing"] = sharing_of(item, verdict.stored, author["id"], skip=skip)
        self.store.put(connection, plural, [own])
        if plural == "users" and item.get("password"):
            self.accounts.set_password(connection, (item["username"], item["id"]), item["password"])


def _known_objects(body: Members) -> dict[str, list[Members]]:
    """Return the objects of known classes, the server's own defaults aside.

    Raises:
        Refused: 400 for what is no payload of metadata.
    """
    lists = {plural: body[plural] for plural in CLASSES if body.get(plural)}
    for plural, items in lists.items():
        if not (isinstance(items, list) and all(isinstance(item, dict) for item in items)):
            raise Refused(400, f"JSON parse error: Cannot construct the objects of `{plural}`")
    return {
        plural: [_with_uid(item) for item in items if item.get("id") not in DEFAULT_UIDS]
        for plural, items in lists.items()
    }


def _with_uid(item: Members) -> Members:
    return item if item.get("id") else item | {"id": new_uid()}


def _without(item: Members, problems: Sequence[MetadataProblem]) -> Members:
    broken = {problem.member for problem in problems}
    return {member: value for member, value in item.items() if member not in broken}
