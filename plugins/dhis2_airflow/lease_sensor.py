"""The lease as an Airflow task: a run waits here until it alone may write."""

from __future__ import annotations

from airflow.sdk import BaseSensorOperator, Context

from dhis2_airflow.run_operators import RouteOperator
from tracker_sync.leases.lease import HeldByAnother, held


class LeaseSensor(RouteOperator, BaseSensorOperator):
    """Take the lease on the destination, however long another run holds it."""

    def poke(self, context: Context) -> bool:
        """Return whether this run holds the lease; say whom it waits for."""
        try:
            with self.destination() as client:
                held(client, self.route, self.workspace(context))
        except HeldByAnother as waiting:
            self.say([str(waiting)])
            return False
        return True
