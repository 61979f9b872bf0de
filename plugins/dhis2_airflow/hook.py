"""The hook: an Airflow connection in, a ready client out."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from airflow.providers.http.hooks.http import HttpHook
from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException

from dhis2_api.client import Dhis2Client
from dhis2_api.credentials import Credentials
from dhis2_api.errors import PermanentError


class Dhis2Hook(HttpHook):
    """Speak to the DHIS2 server of a connection of type HTTP.

    The provider's own `run` is not used: it opens a session a request, looks the
    connection up each time, and logs the body of a refusal, which quotes patients.

    :param connection_id: The connection. Host, or host, schema and port, make the
        address; login and password, or `token` in the extra, say who asks; `ca_file`
        in the extra names authorities to trust.
    """

    def __init__(self, connection_id: str) -> None:
        super().__init__(http_conn_id=connection_id)

    def client(self) -> Dhis2Client:
        """Return a client for the connection's server; close it after use."""
        try:
            connection = self.get_connection(self.http_conn_id)
        except AirflowNotFoundException:
            raise PermanentError(
                f"the connection `{self.http_conn_id}` does not exist: "
                "create it in Airflow under Admin, Connections"
            ) from None
        extra: dict[str, Any] = connection.extra_dejson
        return Dhis2Client(
            _address(connection),
            Credentials(connection.login, connection.password, extra.get("token")),
            name=self.http_conn_id,
            ca_file=extra.get("ca_file"),
        )


def _address(connection: Connection) -> str:
    host = connection.host or ""
    parts = urlsplit(host if "://" in host else f"{connection.schema or 'https'}://{host}")
    if connection.port and ":" not in parts.netloc.rpartition("]")[2]:
        parts = parts._replace(netloc=f"{parts.netloc}:{connection.port}")
    return parts.geturl()
