"""The failure: what a task's log says last, one line a cause, with its remedy."""

from __future__ import annotations

import logging

from airflow.sdk import Context

from dhis2_api.errors import Dhis2Error
from tracker_sync.publish import StagingUnusable
from tracker_sync.routes import InvalidRoute
from tracker_sync.staging.package import DamagedPackage
from tracker_sync.staging.sealed import BrokenSeal
from tracker_sync.state.pages import StateUnusable
from tracker_sync.steps.extract import NothingPlanned
from tracker_sync.steps.settle import RunNotClean


# The errors whose text is ours, hence free of patients' values.
_OURS = (
    *(Dhis2Error, DamagedPackage, BrokenSeal, InvalidRoute),
    *(RunNotClean, NothingPlanned, StagingUnusable, StateUnusable),
)

_log = logging.getLogger(__name__)


def say_what_to_do(context: Context) -> None:
    """Write the causes of a failure below its traceback, where a person looks first."""
    error = context.get("exception")
    if isinstance(error, _OURS):
        for line in str(error).splitlines():
            _log.error("%s: %s", context["ti"].task_id, line)
