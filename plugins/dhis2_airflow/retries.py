"""The retry table: which failures Airflow tries again, and which a person must mend."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule

from dhis2_api.errors import PermanentError, TransientError, UnexpectedAnswer
from tracker_sync.routes import InvalidRoute
from tracker_sync.staging.package import DamagedPackage
from tracker_sync.staging.sealed import BrokenSeal
from tracker_sync.state.pages import StateUnusable
from tracker_sync.steps.extract import NothingPlanned
from tracker_sync.steps.settle import RunNotClean


DHIS2_RETRIES = ExceptionRetryPolicy(
    rules=[
        RetryRule(
            [
                *[PermanentError, InvalidRoute, RunNotClean, NothingPlanned],
                *[DamagedPackage, BrokenSeal, StateUnusable],
            ],
            RetryAction.FAIL,
            reason="a person must act first",
        ),
        RetryRule(TransientError, RetryAction.RETRY, reason="the server may answer later"),
        RetryRule(
            UnexpectedAnswer,
            RetryAction.RETRY,
            retry_delay=timedelta(minutes=1),
            reason="a proxy may have answered in the server's place",
        ),
    ]
)
