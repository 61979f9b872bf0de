"""With `import: async` whatever is imported or deleted goes by the server's queue."""

from __future__ import annotations

from typing import Any

import pytest

from flows.expected import assert_equal
from flows.people import AWA, BINTA, COUMBA, NATIONAL_ID, case, contact, person, pregnancy
from flows.world import SOON, World
from shelf import Memory
from tracker_sync.sending.jobs import Jobs


LINKS = [contact("ContactLnk1", AWA, BINTA), contact("ContactLnk2", BINTA, COUMBA)]


class Killed(BaseException):
    """As SIGKILL is, nothing catches it."""


def everybody(world: World) -> None:
    people = [person(uid, enrollments=[pregnancy(uid)]) for uid in (AWA, BINTA, COUMBA)]
    world.source.write(trackedEntities=people, events=[case()])
    world.source.write(relationships=LINKS)


def test_people_relationships_second_pass_and_deletions_go_by_the_queue(world: World) -> None:
    everybody(world)
    world.run(**{"import": "async", "deletes": "send"})
    assert_equal(world)
    for uid, value in ((AWA, "in between"), (BINTA, f"ID-{AWA}"), (AWA, f"ID-{BINTA}")):
        changed = [{"attribute": NATIONAL_ID, "value": value}]
        rest = [item for item in pregnancy()["attributes"] if item["attribute"] != NATIONAL_ID]
        world.source.write(
            enrollments=[{**pregnancy(uid, events=[]), "attributes": [*rest, *changed]}]
        )
    world.source.remove(relationships=[{"relationship": "ContactLnk1"}])
    world.source.remove(trackedEntities=[{"trackedEntity": COUMBA}])

    run = world.run()

    asked = world.destination.watch
    kinds = {name for payload in asked.imports for name in payload}
    assert kinds >= {"trackedEntities", "enrollments", "events", "relationships"}
    assert run.totals["deleted"] > 2
    assert run.totals["refused"] == 0
    assert asked.queued == [True] * len(asked.imports)
    assert_equal(world)


@pytest.mark.parametrize("phase", ["relationships", "deletes"])
def test_a_phase_that_is_killed_waits_for_its_job_before_it_goes_on(
    world: World, phase: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = Memory()
    world.jobs = Jobs(shelf, SOON)
    world.terms |= {"import": "async", "deletes": "send"}
    everybody(world)
    if phase == "deletes":
        world.run()
        world.source.remove(trackedEntities=[{"trackedEntity": COUMBA}])
    run = world.begin()
    for piece in run.slices:
        world.load(run, piece, world.bundles(run, piece))
    with monkeypatch.context() as patch:
        patch.setattr("dhis2_api.importer.report_of_job", killed)
        with pytest.raises(Killed):
            world.end(run)
    (job,) = shelf.read()
    waited: list[str] = []
    await_all = Jobs.await_all

    def noted(self: Jobs, client: Any) -> None:
        waited.extend(shelf.read())
        await_all(self, client)

    monkeypatch.setattr(Jobs, "await_all", noted)
    world.end(run)

    assert waited == [job]
    assert shelf.read() == []
    assert run.totals["missing"] == run.totals["refused"] == 0
    assert_equal(world)


def killed(*_: Any) -> None:
    raise Killed
