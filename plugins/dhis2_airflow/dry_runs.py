"""The dry runs: does whoever started a run want nothing written?"""

from __future__ import annotations

from airflow.sdk import Context


def is_dry_run(context: Context) -> bool:
    """Return whether whoever started a run wants nothing written."""
    return bool(context["params"].get("dry_run"))
