"""Files are at the destination before their values, once, and a lost one stops nobody."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dhis2_api.client import Dhis2Client
from dhis2_api.errors import TransientError
from dhis2_api.files import Digest, File, digest_of, upload_file
from dhis2_api.importer import Ref
from dhis2_sandbox.faults.control import FaultControl
from dhis2_sandbox.versions import DIALECTS
from road import Road, road_of
from servers import HIV, VACCINATION
from tracker_sync.loading.batch import Destination
from tracker_sync.loading.bringing_files import Brought, bring
from tracker_sync.metadata.model import Model
from tracker_sync.planning.objects import Tree, trees_of
from tracker_sync.planning.plan import Known, Past
from tracker_sync.staging.file_values import values_in
from tracker_sync.staging.package import Staged, open_package
from tracker_sync.steps.transform import transform


PHOTO, CHILD = "EOcItquZkCq", "eV8rUSbzeAZ"  # an image that only the program has
REPORT, EVENT, AWA = "g61vVO04sV8", "f7sedmUE3eD", "tIazUHAG6ZW"
FILE = "filePhoto01"
BYTES = b"\x89PNG not a picture"


@pytest.fixture(params=sorted(DIALECTS))
def children(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Road]:
    with road_of(tmp_path, request.param, VACCINATION) as road:
        yield road


@pytest.fixture(params=sorted(DIALECTS))
def road(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Road]:
    with road_of(tmp_path, request.param, HIV) as road:
        yield road


def photograph(client: Dhis2Client, uid: str = FILE, content: bytes = BYTES) -> None:
    """Give the child a photo as somebody at that server would."""
    upload_file(client, File(uid, "Awa.png", "image/png", content))
    person = client.get(f"/api/tracker/trackedEntities/{CHILD}", {"fields": "*,!relationships"})
    named = {**_bare(person), "attributes": [{"attribute": PHOTO, "value": uid}]}
    _send(client, trackedEntities=[named])


def report(client: Dhis2Client, uid: str = FILE, content: bytes = BYTES) -> None:
    """Put a laboratory's report into the event."""
    upload_file(client, File(uid, "report.pdf", "application/pdf", content))
    event = client.get(f"/api/tracker/events/{EVENT}", {"fields": "*,!relationships,!notes"})
    _send(client, events=[{**event, "dataValues": [{"dataElement": REPORT, "value": uid}]}])


def _bare(person: dict[str, Any]) -> dict[str, Any]:
    names = ("trackedEntity", "trackedEntityType", "orgUnit")
    return {name: person[name] for name in names}


def _send(client: Dhis2Client, **lists: Any) -> None:
    answer = client.post("/api/tracker", lists, {"async": "false"}).json()
    assert answer["validationReport"]["errorReports"] == []


def brought(road: Road, run_id: str, *uids: str) -> Brought:
    bundles = transform(road.workspace(run_id), road.extracted(run_id, *uids)).package
    return bring(there(road, bundles), trees(bundles), past(road, run_id))


def there(road: Road, bundles: Staged) -> Destination:
    return replace(road.there(), source=road.source, files=values_in(open_package(bundles)))


def trees(bundles: Staged) -> list[Tree]:
    return [
        tree
        for tables in open_package(bundles).row_groups()
        for tree in trees_of(tables["bundles"])
    ]


def past(road: Road, run_id: str, known: dict[Ref, Known] | None = None) -> Past:
    path = road.workspace(run_id).model
    return Past(known or {}, 1, Model.read(path))


def digest(content: bytes) -> Digest:
    return Digest(len(content), hashlib.md5(content, usedforsecurity=False).hexdigest())


def uploads(road: Road) -> FaultControl:
    """Let uploads be counted; none meets a fault."""
    faults = road.faults()
    faults.order("latency", method="POST", path="/api/fileResources", seconds=0, times=None)
    return faults


def test_a_persons_photo_is_brought_once_under_its_uid(children: Road) -> None:
    photograph(children.source)
    counted = uploads(children)

    first, second = brought(children, "one", CHILD), brought(children, "two", CHILD)

    assert digest_of(children.destination, FILE) == digest(BYTES)
    assert first.uploaded == {Ref("FILE", FILE)}
    assert second.uploaded == set()
    assert (first.refused, second.refused) == ({}, {})
    assert counted.told()[0]["met"] == 1


def test_an_events_file_is_brought_once_under_its_uid(road: Road) -> None:
    report(road.source)
    counted = uploads(road)

    first, second = brought(road, "one", AWA), brought(road, "two", AWA)

    assert digest_of(road.destination, FILE) == digest(BYTES)
    assert (first.uploaded, second.uploaded) == ({Ref("FILE", FILE)}, set())
    assert counted.told()[0]["met"] == 1


def test_what_an_earlier_run_has_stored_is_not_even_looked_at(road: Road) -> None:
    report(road.source)
    bundles = transform(road.workspace("one"), road.extracted("one", AWA)).package
    ref = Ref("EVENT", EVENT)
    (held,) = (item for tree in trees(bundles) for item in tree.objects if item.ref == ref)
    asked = road.faults()
    asked.order("latency", path="/api/fileResources", seconds=0, times=None)

    stored = past(road, "one", {ref: Known(1, held.content_hash, "m", None)})
    refused = past(road, "one", {ref: Known(1, held.content_hash, "m", "E1084")})

    assert bring(there(road, bundles), trees(bundles), stored).uploaded == set()
    assert asked.told()[0]["seen"] == 0
    assert bring(there(road, bundles), trees(bundles), refused).uploaded == {Ref("FILE", FILE)}


@pytest.mark.parametrize("status", [404, 409, 500])
@pytest.mark.parametrize("road", ["2.40.9", "2.43.1"], indirect=True)
def test_bytes_that_the_source_has_not_refuse_their_object_and_the_rest_goes(
    road: Road, status: int
) -> None:
    report(road.source)
    lost = "/api/events/files|dataValues/.*/file"
    FaultControl(road.source.url).order("status", path=lost, status=status, times=None)

    came = brought(road, "one", AWA)

    (tree,) = came.trees
    codes = {item.ref: item.code for item in tree.objects}
    assert len(codes) > 3
    assert codes.pop(Ref("EVENT", EVENT)) == "SYNC_FILE_NOT_AT_SOURCE"
    assert set(codes.values()) == {None}
    assert came.refused == {Ref("FILE", FILE): "SYNC_FILE_NOT_AT_SOURCE"}
    assert digest_of(road.destination, FILE) is None


@pytest.mark.parametrize("road", ["2.40.9", "2.43.1"], indirect=True)
def test_other_bytes_than_the_source_describes_are_not_brought(road: Road) -> None:
    report(road.source)
    cut = "/api/events/files|dataValues/.*/file"
    FaultControl(road.source.url).order("html", path=cut, times=None)

    came = brought(road, "one", AWA)

    assert came.refused == {Ref("FILE", FILE): "SYNC_FILE_NOT_AT_SOURCE"}
    assert digest_of(road.destination, FILE) is None


@pytest.mark.parametrize("road", ["2.42.4"], indirect=True)
@pytest.mark.parametrize("kind", ["status", "html"])
def test_a_file_that_the_destination_does_not_take_refuses_its_object_alone(
    road: Road, kind: str
) -> None:
    report(road.source)
    path = "/api/fileResources"
    road.faults().order(kind, method="POST", path=path, status=413, times=None)

    came = brought(road, "one", AWA)

    assert came.refused == {Ref("FILE", FILE): "SYNC_FILE_REFUSED"}
    assert [item.code for item in came.trees[0].objects].count("SYNC_FILE_REFUSED") == 1


def test_another_file_under_the_same_uid_is_never_overwritten(road: Road) -> None:
    report(road.source)
    upload_file(road.destination, File(FILE, "other.pdf", "application/pdf", b"another"))

    came = brought(road, "one", AWA)

    assert came.refused == {Ref("FILE", FILE): "SYNC_FILE_IS_ANOTHER"}
    assert digest_of(road.destination, FILE) == digest(b"another")


@pytest.mark.parametrize("road", ["2.41.8", "2.42.4"], indirect=True)
@pytest.mark.parametrize("done", [False, True], ids=["before the work", "after the work"])
def test_an_upload_whose_answer_was_lost_is_repaired_by_the_next_try(
    road: Road, *, done: bool
) -> None:
    report(road.source)
    road.faults().order("reset", method="POST", path="/api/fileResources", done=done)
    with pytest.raises(TransientError):
        brought(road, "one", AWA)

    came = brought(road, "two", AWA)

    assert digest_of(road.destination, FILE) == digest(BYTES)
    assert came.uploaded == (set() if done else {Ref("FILE", FILE)})
    assert came.refused == {}


@pytest.mark.parametrize("road", ["2.42.4"], indirect=True)
def test_the_log_names_a_file_by_its_uid_and_not_by_its_name(
    road: Road, caplog: pytest.LogCaptureFixture
) -> None:
    report(road.source)
    lost = FaultControl(road.source.url)
    lost.order("status", path="dataValues/.*/file", status=500, times=None)

    brought(road, "one", AWA)

    assert FILE in caplog.text
    assert "report.pdf" not in caplog.text
