"""A destination that was restored from an older backup gets back in one run what it lost.

Its checkpoint went back with it, so that the run reads what was written since; what the
state remembers of that is no reason to leave anything out.
"""

from __future__ import annotations

from typing import Any

import pytest

from flows.expected import assert_equal, began_with
from flows.people import (
    AWA,
    BINTA,
    COUMBA,
    LABORATORY,
    MBOUR,
    PHOTO,
    REPORT,
    contact,
    enrollment,
    event_of,
    person,
    vaccination,
    visit,
)
from flows.world import PEOPLE_TABLES, Server, World
from servers import HIV, OLDEST_AND_NEWEST


REPORTED, PORTRAIT, NOTED = "FileReport1", "FilePhoto01", "NoteAwa0001"
_TABLES = (*PEOPLE_TABLES, "file_resource")
Rows = dict[str, list[tuple[Any, ...]]]


pytestmark = pytest.mark.parametrize("ground", OLDEST_AND_NEWEST, indirect=True)


def backup_of(server: Server) -> Rows:
    with server.sandbox.database.reading() as connection:
        rows = {name: connection.execute(f"SELECT * FROM {name}") for name in _TABLES}  # noqa: S608
        return {name: [*map(tuple, found)] for name, found in rows.items()}


def restore(server: Server, backup: Rows) -> None:
    with server.sandbox.database.writing() as connection:
        for name, rows in backup.items():
            connection.execute(f"DELETE FROM {name}")  # noqa: S608 - the names stand above
            for row in rows:
                places = ",".join("?" * len(row))
                connection.execute(f"INSERT INTO {name} VALUES ({places})", row)  # noqa: S608


def write_a_day(source: Server) -> None:
    """Let every kind of thing happen at the source."""
    report = [{"dataElement": REPORT, "value": REPORTED}]
    noted = [{"note": NOTED, "value": "a visit at home"}]
    source.upload(REPORTED, b"%PDF one")
    source.upload(PORTRAIT, b"%PNG one")
    source.write(trackedEntities=[person(COUMBA)])
    source.write(events=[visit(number=2, programStage=LABORATORY, dataValues=report)])
    source.write(events=[visit(notes=noted)], relationships=[contact("RelationS01", AWA, BINTA)])
    source.write(enrollments=[vaccination(photo=PORTRAIT)])
    source.give(BINTA, HIV, MBOUR)
    source.write(enrollments=[enrollment(BINTA, events=[], status="COMPLETED")])


def end_a_day(source: Server) -> None:
    """Let what was there in the backup go at the source."""
    source.remove(events=[{"event": event_of(BINTA)}])
    source.remove(trackedEntities=[{"trackedEntity": COUMBA}])
    source.remove(events=[{"event": "CaseEvent01"}])


def test_what_was_deleted_since_the_backup_is_deleted_again(world: World) -> None:
    world.terms |= {"deletes": "send"}
    world.source.write(trackedEntities=[person(), person(BINTA), person(COUMBA)])
    began_with(world)
    backup, marks = backup_of(world.destination), dict(world.watermarks)
    end_a_day(world.source)
    first = world.run()
    assert_equal(world)
    restore(world.destination, backup)
    assert {("event", "CaseEvent01"), ("entity", COUMBA)} <= world.differing().keys()
    world.watermarks = marks

    run = world.run()

    assert first.totals["deleted"] == run.totals["deleted"] > 4
    assert (run.refused, run.problems) == ({}, ())
    assert_equal(world)


def test_a_destination_restored_from_a_backup_gets_back_what_it_lost(world: World) -> None:
    began_with(world, person(), person(BINTA))
    backup, marks = backup_of(world.destination), dict(world.watermarks)
    write_a_day(world.source)
    first = world.run()
    assert_equal(world)
    restore(world.destination, backup)
    lost = {key[1:] for key in world.differing()}
    assert lost >= {(NOTED,), (REPORTED,), (COUMBA,), (AWA, PHOTO), (event_of(AWA, 2),)}
    world.watermarks = marks  # the earlier of the two: that of the restored data store

    run = world.run()

    assert first.totals["created"] == run.totals["created"] > 5
    assert (run.refused, run.problems) == ({}, ())
    assert_equal(world)
