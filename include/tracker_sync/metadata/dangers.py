"""The dangers: which data would be refused or lost, by the model there or the one to be written?"""

from __future__ import annotations

from dhis2_api.client import Dhis2Client
from tracker_sync.findings import Finding
from tracker_sync.metadata.contradictions import contradicted
from tracker_sync.metadata.data_there import DataThere
from tracker_sync.metadata.demands import never_given, newly_demanded
from tracker_sync.metadata.difference import Difference
from tracker_sync.metadata.gone_in_use import DataOf, extras_with_data
from tracker_sync.metadata.needed import Needed
from tracker_sync.route import Route


def dangers(
    destination: Dhis2Client, needed: Needed, found: Difference, route: Route
) -> list[Finding]:
    """Return what stands against the data of a route; without a change nothing is asked.

    What would come of writing blocks only where the route writes: `check` leaves the model as
    it is, and tells what `apply` would run into.
    """
    theirs, data = needed.holding.objects, DataThere(destination)
    changes = [change for change in found.changes if not change.is_new]
    writes, mirror = route.metadata == "apply", route.metadata_extras == "mirror"
    known = route.mapping.uids()
    gone = found.gone if mirror else ()
    return [
        *never_given(needed.closure.objects, theirs, known, mirror=writes and mirror),
        *newly_demanded(changes, theirs, data),
        *contradicted(changes, theirs, data, writes=writes),
        *extras_with_data(gone, needed.sent.objects, DataOf(theirs, data), writes=writes),
    ]
