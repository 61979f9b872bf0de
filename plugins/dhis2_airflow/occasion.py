"""The occasion: why Airflow runs a route now, in the library's words."""

from __future__ import annotations

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from airflow.sdk import Context, Param

from dhis2_airflow.watermarks import Standing
from tracker_sync.route import Route
from tracker_sync.windows.asked_span import AskedSpan
from tracker_sync.windows.window import Occasion, RunType


# Everything that is neither the schedule nor a backfill was asked for by somebody.
_RUN_TYPES: dict[str, RunType] = {"scheduled": "scheduled", "backfill": "backfill"}

_FORM = "`2026-11-24` or `2026-11-24T18:00:00+00:00`"

# What a person may ask of a run by hand; shown in the form that starts one.
ASKED: Mapping[str, Param] = {
    "from": Param(
        None,
        type=["null", "string"],
        title="from / depuis",
        description_md=(
            f"Read what changed from then on: {_FORM}. Empty: from where the last run came to.\n\n"
            f"Lire ce qui a changé depuis : {_FORM}. Vide : depuis la fin de la dernière exécution."
        ),
    ),
    "to": Param(
        None,
        type=["null", "string"],
        title="to / jusqu'à",
        description_md=(
            f"Read what changed before then: {_FORM}. Empty: up to now.\n\n"
            f"Lire ce qui a changé avant : {_FORM}. Vide : jusqu'à maintenant."
        ),
    ),
    "deletes_at_most": Param(
        None,
        type=["null", "integer"],
        minimum=0,
        title="deletes_at_most / suppressions au plus",
        description_md=(
            "How many deletions this run may send. Empty: 1 % of what is copied, and at least "
            "100.\n\nCombien de suppressions cette exécution peut envoyer. Vide : 1 % de ce qui "
            "est copié, et au moins 100."
        ),
    ),
    "dry_run": Param(
        default=False,
        type="boolean",
        title="dry run / essai à blanc",
        description_md=(
            "Write nothing at the destination: compare, and say what would be sent.\n\n"
            "Ne rien écrire sur la destination : comparer, et dire ce qui serait envoyé."
        ),
    ),
}


def asked_of(context: Context, route: Route) -> AskedSpan:
    """Return the span that whoever started a run asked for.

    Raises:
        PermanentError: What they wrote could be misread.
    """
    return AskedSpan.of(context["params"], ZoneInfo(route.timezone))


def occasion_of(context: Context, route: Route, standing: Standing) -> Occasion:
    """Return why a run happens, with its data interval.

    A run by API or UI may have no interval at all (airflow 4).

    Args:
        context: Of the task.
        route: The route.
        standing: How far the runs before it came.
    """
    run = context["dag_run"]
    return Occasion(
        _RUN_TYPES.get(run.run_type, "manual"),
        run.data_interval_start,
        run.data_interval_end,
        standing.sides.agreed(),
        asked_of(context, route),
        standing.clocks,
        standing.drawn_back,
    )
