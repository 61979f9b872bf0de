"""The long queries: how a query of thousands of letters goes out without being spelled again.

A request by UID has one. `urllib3` looks at each letter of a URL, which took more than all
else of a short request; and what is quoted already would stay as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool


#: The header that a request carries its query in, as far as the connection; it is never sent.
QUERY = "X-Query"


class _Whole:
    def request(
        self, method: str, url: str, body: Any = None, headers: Any = None, **kwargs: Any
    ) -> None:
        """Send a request with the query that its headers carry; called by `urllib3`."""
        kept, query = _parted(headers or {})
        whole = f"{url}?{query}" if query else url
        super().request(method, whole, body, kept, **kwargs)  # type: ignore[misc]


class _Connection(_Whole, HTTPConnection):
    pass


class _TlsConnection(_Whole, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class LongQueries(HTTPAdapter):
    """Let a request's query, quoted already, go out as it is."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Pool connections of that kind; called by `requests`."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}


def _parted(headers: Mapping[str, str]) -> tuple[dict[str, str], str]:
    kept = {name: value for name, value in headers.items() if name != QUERY}
    return kept, headers.get(QUERY, "")
