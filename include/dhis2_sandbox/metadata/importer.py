"""What becomes of a metadata payload?

The order is DHIS2's: everything is checked before anything is stored; with atomicMode ALL one
refused object refuses them all (recordings: 011 to 021, 222).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dhis2_sandbox.access.accounts import Accounts
from dhis2_sandbox.access.rights import Rights
from dhis2_sandbox.clock import Clock
from dhis2_sandbox.database import Database
from dhis2_sandbox.dialect import Dialect
from dhis2_sandbox.metadata.changing import Change
from dhis2_sandbox.metadata.checks import problems_of
from dhis2_sandbox.metadata.classes import CLASSES
from dhis2_sandbox.metadata.data_use import DataUse
from dhis2_sandbox.metadata.members import Registrar
from dhis2_sandbox.metadata.payload import Payload, read_payload
from dhis2_sandbox.metadata.problems import MetadataProblem
from dhis2_sandbox.metadata.question import MetadataOptions, Question
from dhis2_sandbox.metadata.references import without_reference
from dhis2_sandbox.metadata.report import Reporter, Verdict
from dhis2_sandbox.metadata.schema import Schema
from dhis2_sandbox.metadata.sharing import shared_as_program, sharing_of
from dhis2_sandbox.metadata.store import Members, MetadataStore


_STRATEGIES = {
    "CREATE_AND_UPDATE": "CREATE_AND_UPDATE",
    "NEW_AND_UPDATES": "CREATE_AND_UPDATE",
    "CREATE": "CREATE",
    "NEW": "CREATE",
    "UPDATE": "UPDATE",
    "UPDATES": "UPDATE",
    "DELETE": "DELETE",
    "DELETES": "DELETE",
}


def options_from(parameters: Mapping[str, str]) -> MetadataOptions:
    """Read the parameters: a misspelt importMode commits, as on a real server (metadata 2.1)."""
    strategy = parameters.get("importStrategy", "")
    return MetadataOptions(
        validate_only=parameters.get("importMode") == "VALIDATE",
        atomic=parameters.get("atomicMode") != "NONE",
        strategy=_STRATEGIES.get(strategy, "CREATE_AND_UPDATE"),
        skip_sharing=parameters.get("skipSharing") == "true",
        full_report=parameters.get("importReportMode") in {"FULL", "DEBUG"},
    )


@dataclass(frozen=True, slots=True)
class MetadataImporter:
    """Takes payloads of metadata in."""

    database: Database
    store: MetadataStore
    accounts: Accounts
    clock: Clock
    dialect: Dialect

    def take(self, body: Any, rights: Rights, options: MetadataOptions) -> tuple[int, Members]:
        """Import a payload and return the HTTP status and the WebMessage's own members.

        Raises:
            Refused: for what is no payload of metadata.
        """
        payload = read_payload(body, self.store.current(), self.dialect)
        verdicts = list(self._judge(payload, rights, options))
        refused = any(verdict.problems for verdict in verdicts)
        blocked = refused and options.atomic
        if not (options.validate_only or blocked):
            self._store(payload, verdicts, rights, options)
        return Reporter(self.dialect, options).report_of(verdicts, blocked=blocked)

    def problems_of_deletion(
        self, plural: str, uid: str, rights: Rights
    ) -> Sequence[MetadataProblem]:
        """Return what stands against deleting one object that is there."""
        payload = Payload({plural: [{"id": uid}]}, self.store.current())
        (verdict,) = self._judge(payload, rights, MetadataOptions(strategy="DELETE"))
        return verdict.problems

    def _judge(
        self, payload: Payload, rights: Rights, options: MetadataOptions
    ) -> Iterator[Verdict]:
        schema, data = Schema(self.dialect.minor), DataUse(self.database)
        for plural, items in payload.objects.items():
            seen: set[str] = set()
            for index, item in enumerate(items):
                question = Question(plural, item, payload, rights, options, schema, data)
                found = tuple(problems_of(question))
                if question.uid in seen:
                    found = (_twice(question),)
                seen.add(question.uid)
                yield Verdict(plural, index, item, question.stored, found, options.strategy)

    def _store(
        self,
        payload: Payload,
        verdicts: Sequence[Verdict],
        rights: Rights,
        options: MetadataOptions,
    ) -> None:
        author = payload.metadata.get("users", rights.uid) or {"id": rights.uid}
        registrar = Registrar(Schema(self.dialect.minor), self.clock, author)
        with self.store.changing() as connection:
            change = Change(self.store, connection, self.dialect)
            for verdict in verdicts:
                if not verdict.is_stored:
                    continue
                if verdict.strategy == "DELETE":
                    change.remove(verdict.plural, verdict.item["id"])
                    continue
                own = self._own(verdict, payload, registrar)
                if CLASSES[verdict.plural].shared:
                    own["sharing"] = sharing_of(verdict, registrar, rights, options)
                change.put(verdict.plural, own)
                self._keep_password(change, verdict)
            change.complete()
            for stage in shared_as_program(self.store.current(), verdicts):
                change.put("programStages", stage)

    def _own(self, verdict: Verdict, payload: Payload, registrar: Registrar) -> Members:
        """Return the object without the references that are missing, as it is to be stored."""
        item = verdict.item
        for problem in verdict.problems:
            if problem.missing is not None:
                path, uid = problem.missing
                item = without_reference(item, path.split("."), uid)
        own = registrar.stored_form(verdict.plural, item, verdict.stored)
        return payload.defaults.bound(registrar.schema, verdict.plural, own)

    def _keep_password(self, change: Change, verdict: Verdict) -> None:
        item = verdict.item
        if verdict.plural == "users" and item.get("password"):
            user = (item["username"], item["id"])
            self.accounts.set_password(change.connection, user, item["password"])


def _twice(question: Question) -> MetadataProblem:
    return MetadataProblem("E5004", (question.uid, question.kind.name), "id", question.uid)
