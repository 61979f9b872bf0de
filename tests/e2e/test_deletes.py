"""In Airflow: deletions are held, asked about when they are many, and sent on a word."""

from __future__ import annotations

from dhis2_api.importer import Ref, delete_objects
from dhis2_api.reading import read_by_uid
from e2e.sync import ROUTE, Start, Sync, states
from tracker_sync_demo.compare import compare


PROGRAMS = ("xsd8pFBm2w1", "m8nERzkN6j4", "pjYwBlP46Rf", "fAw4hObwxfo")


def test_a_persons_word_at_the_trigger_lets_deletions_go(sync: Sync) -> None:
    sync.run()
    person = delete_somebody(sync)

    held = sync.run()

    assert held.state == "success"
    assert sync.report()["totals"]["held"] >= 3
    assert is_there(sync, person)

    sync.write_route(ROUTE + "deletes: send\n")
    asks = sync.run(Start(conf={"deletes_at_most": 2}))

    assert states(asks) == {**dict.fromkeys(states(asks), "success"), "settle": "failed"}
    (problem,) = sync.report()["problems"]
    assert "SYNC_DELETE_ABOVE_CAP" in problem
    assert is_there(sync, person)

    sent = sync.run()

    assert sent.state == "success"
    assert sync.report()["totals"]["deleted"] >= 3
    assert not is_there(sync, person)
    assert compare(sync.source, sync.destination, PROGRAMS).differing == frozenset()


def delete_somebody(sync: Sync) -> str:
    """Delete a person with an enrollment and events at the source."""
    events = [row for row in sync.ledger().to_pylist() if row["kind"] == "EVENT"]
    person: str = min(row["tracked_entity"] for row in events if row["tracked_entity"])
    report = delete_objects(sync.source, [Ref("TRACKED_ENTITY", person)])
    assert report.refused == {}
    return person


def is_there(sync: Sync, person: str) -> bool:
    (found,) = read_by_uid(sync.destination, "trackedEntities", [person], "trackedEntity,deleted")
    return not found["deleted"]
