"""The watermark store: Airflow's side of the watermarks, reached from outside a task.

A task reaches it through its context. A command goes the way of Airflow's own API, which needs
its database.
"""

from __future__ import annotations

import json
from datetime import datetime

from airflow.models.asset import AssetModel
from airflow.state import AssetScope, get_state_backend
from airflow.utils.session import create_session
from sqlalchemy import select

from dhis2_airflow.watermarks import KEY, watermark_asset
from dhis2_api.errors import PermanentError
from tracker_sync.route import Route
from tracker_sync.windows.checkpoint import Marks
from tracker_sync.windows.watermark import NoWatermarks, as_instants, as_texts


def stored_watermarks(route: Route) -> dict[str, datetime]:
    """Return the watermarks that Airflow keeps of a route, by key.

    Raises:
        PermanentError: Airflow does not know the route's DAG yet.
        NoWatermarks: What it keeps are none.
    """
    with create_session() as session:
        text = get_state_backend().get(_scope(route), KEY, session=session)
    try:
        return as_instants(json.loads(text or "{}"))
    except ValueError as error:
        where = f"Airflow's asset `{watermark_asset(route).name}`"
        raise NoWatermarks.of(where, error) from None


def store_watermarks(route: Route, marks: Marks) -> None:
    """Let Airflow keep the watermarks of a route.

    Raises:
        PermanentError: Airflow does not know the route's DAG yet.
    """
    with create_session() as session:
        value = json.dumps(as_texts(marks))
        get_state_backend().set(_scope(route), KEY, value, session=session)


def _scope(route: Route) -> AssetScope:
    name = watermark_asset(route).name
    with create_session() as session:
        asset = session.scalar(select(AssetModel.id).where(AssetModel.name == name))
    if asset is None:
        raise PermanentError(
            f"Airflow does not know the asset `{name}`: let it read the DAG of the route first "
            "(`airflow dags reserialize`)"
        )
    return AssetScope(asset_id=asset)
