"""What becomes of a tracker payload?

Checked against what is stored when it arrives, then written in one transaction. Between the two
another request may write: nothing protects unique values then, as on a real server (measured).
"""

import sqlite3
import time
from dataclasses import dataclass, replace
from datetime import timedelta

from dhis2_sandbox.access.rights import Rights
from dhis2_sandbox.clock import Clock
from dhis2_sandbox.database import Database
from dhis2_sandbox.dialect import Dialect
from dhis2_sandbox.faults.delays import NO_DELAYS, Delays
from dhis2_sandbox.http.answers import Refused, Unholdable, Unreadable
from dhis2_sandbox.imports.deletion import Deleter
from dhis2_sandbox.imports.gathering import Rules, situation_of
from dhis2_sandbox.imports.kinds import UID_MEMBER, Kind
from dhis2_sandbox.imports.options import TrackerOptions
from dhis2_sandbox.imports.payload import Bundle, read_bundle
from dhis2_sandbox.imports.pen import Pen
from dhis2_sandbox.imports.report import (
    before_41,
    blocked,
    committed,
    failed,
    validated,
    without_warnings,
)
from dhis2_sandbox.imports.situation import Situation
from dhis2_sandbox.imports.validation import Judgement, judge
from dhis2_sandbox.imports.writing import Writer
from dhis2_sandbox.metadata.model import Model
from dhis2_sandbox.metadata.store import Members


@dataclass(frozen=True, slots=True)
class TrackerImporter:
    """Takes payloads of tracker data in."""

    database: Database
    clock: Clock
    dialect: Dialect
    delays: Delays = NO_DELAYS

    def take(
        self, body: bytes, model: Model, rights: Rights, options: TrackerOptions
    ) -> tuple[int, Members]:
        """Import a payload and return the HTTP status and the import report.

        Raises:
            Refused: if the body cannot be read, or the database cannot hold it.
        """
        time.sleep(self.delays.behind)
        clock = replace(self.clock, shift=self.clock.shift - timedelta(seconds=self.delays.behind))
        bundle = self._bundle(body, model)
        rules = Rules(clock, self.dialect, options.strategy)
        with self.database.reading() as connection:
            situation = situation_of(connection, bundle, (model, rights), rules)
        judgement = judge(situation)
        status, report = self._carry_out(situation, judgement, options)
        if not options.with_warnings:
            report = without_warnings(report)
        older = self.dialect.with_timings
        return status, before_41(report, with_timings=options.full) if older else report

    def _bundle(self, body: bytes, model: Model) -> Bundle:
        try:
            return read_bundle(body, model, self.clock, self.dialect)
        except Unreadable as problem:
            raise Refused(self.dialect.unreadable_status, problem.message) from problem

    def _carry_out(
        self, situation: Situation, judgement: Judgement, options: TrackerOptions
    ) -> tuple[int, Members]:
        if options.atomic and judgement.refusals:
            return 409, blocked(judgement, situation.bundle)
        if options.validate_only:
            return 200, validated(judgement)
        time.sleep(self.delays.before_writing)
        try:
            with self.database.writing() as connection:
                outcomes = _write(connection, situation, judgement)
        except Unholdable as problem:
            if self.dialect.unholdable_status != 409:
                raise
            return 409, failed(problem.message)
        except sqlite3.IntegrityError as error:
            raise Refused(409, "could not execute statement: duplicate key") from error
        sizes = {kind: len(situation.bundle.of(kind)) for kind in Kind}
        return 200, committed(judgement, outcomes, sizes)


def _write(
    connection: sqlite3.Connection, situation: Situation, judgement: Judgement
) -> dict[Kind, list[tuple[str, str]]]:
    """Write what was accepted, and return per kind what happened to which UID."""
    outcomes: dict[Kind, list[tuple[str, str]]] = {kind: [] for kind in Kind}
    seen: set[str] = set()
    writer = Writer(Pen(connection, situation.clock, situation.rights), situation)
    deleter = Deleter(connection, situation.clock, situation.rights)
    deleting = situation.strategy == "DELETE"
    for kind in reversed(Kind) if deleting else Kind:
        for item in judgement.accepted[kind]:
            uid = item[UID_MEMBER[kind]]
            if deleting:
                deleter.delete(kind, uid)
                outcomes[kind].append(("deleted", uid))
                continue
            outcome = _outcome_of_change(situation, kind, item, again=uid in seen)
            writer.write(kind, item)
            seen.add(uid)
            outcomes[kind].append((outcome, uid))
    writer.touched |= deleter.touched
    writer.move_stamps()
    return outcomes


def _outcome_of_change(situation: Situation, kind: Kind, item: Members, *, again: bool) -> str:
    """Return what is said of an object; of its second in one request, each version has its own.

    Raises:
        Refused: 500 for the whole request, from 2.43 (recordings: 350, 351).
    """
    if again and situation.dialect.same_uid_twice == "refused":
        raise Refused(500, "ERROR: duplicate key value violates unique constraint")
    if situation.is_update(kind, item):
        return "updated"
    return situation.dialect.same_uid_twice if again else "created"
