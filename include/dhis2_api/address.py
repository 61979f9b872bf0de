"""The address: which base URLs a client may speak to."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from dhis2_api.errors import PermanentError


def checked_address(url: str) -> str:
    """Return *url* as a base URL without a trailing slash.

    Patients' data travels there, so it must be https, or http to this machine;
    and it may hold no password (it would be logged), no query and no fragment.

    Raises:
        PermanentError: The URL is none of these; the message says what to change.
    """
    parts = split_address(url)
    problem = _problem(parts)
    if problem:
        raise PermanentError(f"the server's address {problem}; use https://host/path")
    port = f":{parts.port}" if parts.port else ""
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}{port}{parts.path.rstrip('/')}"


def split_address(url: str) -> SplitResult:
    """Return the parts of a URL.

    Raises:
        PermanentError: It is none. What Python says of it quotes it, password and all.
    """
    try:
        parts = urlsplit(url.strip())
        _ = parts.port  # reading it is what checks it
    except ValueError:
        raise PermanentError("the server's address cannot be read as a URL") from None
    return parts


def _problem(parts: SplitResult) -> str | None:
    if parts.username or parts.password:
        return "holds a user or a password: put them into the connection's own fields"
    if parts.query or parts.fragment:
        return "holds a query or a fragment"
    if not parts.hostname:
        return "names no host"
    if parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname)):
        return None
    return "is not https"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
