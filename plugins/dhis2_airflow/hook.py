"""The hook: an Airflow connection in, a ready client out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from airflow.providers.http.hooks.http import HttpHook
from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException

from dhis2_api.address import split_address
from dhis2_api.client import Dhis2Client
from dhis2_api.credentials import Credentials
from dhis2_api.dialects import dialect_of
from dhis2_api.errors import Dhis2Error, PermanentError
from dhis2_api.patience import Patience
from dhis2_api.system import read_account, read_server


class Dhis2Hook(HttpHook):
    """Speak to the DHIS2 server of a connection of type DHIS2, or HTTP.

    The provider's own `run` is not used: it opens a session a request, looks the
    connection up each time, and logs the body of a refusal, which quotes patients.

    :param connection_id: The connection. Host, or host, schema and port, make the
        address; login and password, or `token` in the extra, say who asks; `ca_file`
        in the extra names authorities to trust, `patience` for how many seconds a
        request is sent again.
    """

    conn_name_attr = "connection_id"
    default_conn_name = "dhis2_default"
    conn_type = "dhis2"
    hook_name = "DHIS2"

    def __init__(self, connection_id: str = default_conn_name) -> None:
        super().__init__(http_conn_id=connection_id)
        self.connection_id = connection_id

    def client(self) -> Dhis2Client:
        """Return a client for the connection's server; close it after use."""
        try:
            connection = self.get_connection(self.connection_id)
        except AirflowNotFoundException:
            raise PermanentError(
                f"the connection `{self.connection_id}` does not exist: "
                "create it in Airflow under Admin, Connections"
            ) from None
        extra: dict[str, Any] = connection.extra_dejson
        return Dhis2Client(
            _address(connection),
            Credentials(connection.login, connection.password, extra.get("token")),
            name=self.connection_id,
            ca_file=extra.get("ca_file") or None,
            patience=self._patience(extra.get("patience")),
        )

    def _patience(self, seconds: Any) -> Patience:
        if seconds is None or seconds == "":
            return Patience()
        try:
            budget = float(seconds)
        except (TypeError, ValueError):
            budget = -1.0
        if not 0 <= budget < float("inf"):
            raise PermanentError(
                f"`patience` of the connection `{self.connection_id}` is no number of seconds: "
                "correct it in Airflow under Admin, Connections"
            )
        return Patience(budget=budget)

    def test_connection(self) -> tuple[bool, str]:
        """Say what server answers and who we are to it; what Airflow's test button shows."""
        try:
            with self.client() as client:
                return True, describe(client)
        except Dhis2Error as error:
            return False, str(error)


def describe(client: Dhis2Client) -> str:
    """Return version, account, rights and clock of a server in one line.

    Raises:
        Dhis2Error: The server or its account is not one that a route can use.
    """
    server = read_server(client)
    dialect_of(server.version)
    account = read_account(client)
    rights = "superuser" if account.is_superuser else f"{len(account.authorities)} authorities"
    ahead = round((server.now - datetime.now(UTC)).total_seconds())
    return (
        f"DHIS2 {server.version}; account {account.uid}, {rights}, "
        f"captures in {len(account.capture)} and searches in {len(account.search)} org units; "
        f"clock {ahead:+d} s, zone {server.zone.key}"
    )


def _address(connection: Connection) -> str:
    host = connection.host or ""
    url = host if "://" in host else f"{connection.schema or 'https'}://{host}"
    parts = split_address(url)
    if connection.port and ":" not in parts.netloc.rpartition("]")[2]:
        parts = parts._replace(netloc=f"{parts.netloc}:{connection.port}")
    return parts.geturl()
