"""The plain loader: the loop that most people write first, beside which ours is measured.

A hundred people a page with `fields=*`, each page posted as it came. It compares nothing, reads
no report, and knows nothing of what it lost.
"""

from __future__ import annotations

from collections.abc import Callable

import requests

from tracker_sync_bench.material import PEOPLE_A_PAGE
from tracker_sync_bench.population import PROGRAM, ROOT
from tracker_sync_bench.work import Work


def bring(work: Work) -> Callable[[], int]:
    """Post everybody of the source at `work.url` to the destination at `work.to`."""
    params: dict[str, str | int] = {
        "program": PROGRAM,
        "orgUnits": ROOT,
        "orgUnitMode": "DESCENDANTS",
        "fields": "*,enrollments[*]",
        "pageSize": PEOPLE_A_PAGE,
    }

    def run() -> int:
        brought, page = 0, 1
        with requests.Session() as session:
            while True:
                asked = {**params, "page": page}
                read = session.get(
                    f"{work.url}/api/tracker/trackedEntities", params=asked, timeout=60
                )
                answer = read.json()
                people = {"trackedEntities": answer["trackedEntities"]}
                url = f"{work.to}/api/tracker?async=false"
                session.post(url, json=people, timeout=60).raise_for_status()
                brought += len(people["trackedEntities"])
                if brought >= work.count or "nextPage" not in answer["pager"]:
                    return brought
                page += 1

    return run
