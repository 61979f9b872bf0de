"""The TLS: whose certificates are trusted, and what is too old to be spoken."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

from requests.adapters import HTTPAdapter

from dhis2_api.errors import PermanentError


def trusted_authorities(ca_file: str | None) -> str | bool:
    """Return what `requests` verifies certificates by: a file, or the system's own.

    Raises:
        PermanentError: The file is not there.
    """
    if ca_file and not Path(ca_file).is_file():
        raise PermanentError("the connection's `ca_file` is not there: correct its path")
    return ca_file or True


class ModernTls(HTTPAdapter):
    """Speak TLS 1.2 or newer."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Pool connections of that kind; called by `requests`."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        super().init_poolmanager(*args, **kwargs, ssl_context=context)
