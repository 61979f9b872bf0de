"""The transport: one session to one server, with its cookie, its certificate and its limits."""

from __future__ import annotations

import logging
import time
import uuid
from urllib.parse import urlencode

import requests
from requests.cookies import extract_cookies_to_jar

from dhis2_api.address import checked_address
from dhis2_api.answers import Answer
from dhis2_api.body import read_body
from dhis2_api.connection_errors import our_errors
from dhis2_api.credentials import Credentials
from dhis2_api.exchange import Limits, Request
from dhis2_api.tls import ModernTls, trusted_authorities


_HEADERS = {
    "Accept-Encoding": "gzip",
    # Without it, a request nobody signed is redirected to a login page (measured).
    "X-Requested-With": "XMLHttpRequest",
}

# A session that ended: a server asks to log in (measured: Clock, identity, locks).
_LOGGED_OUT = {302, 401}

# They log whole URLs, and a URL may hold a filter's value: a patient's. A level would not
# do: one is set anew wherever logging is configured, and their warnings hold URLs too.
for _name in ("urllib3.connectionpool", "urllib3.connection"):
    logging.getLogger(_name).addFilter(lambda _: False)


class Transport:
    """Send requests to one server over one session.

    It never follows a redirect: a POST that is redirected arrives as a GET, or
    its patients arrive at another host (reliability F14). The session's cookie is
    kept, since a password without it costs the server 60-70 ms (measured).
    """

    def __init__(
        self, url: str, credentials: Credentials, name: str, limits: Limits, ca_file: str | None
    ) -> None:
        self.url = checked_address(url)
        self._name = name
        self._limits = limits
        self._session = requests.Session()
        self._session.trust_env = False  # a .netrc or a proxy of the machine must not step in
        self._session.headers.update(_HEADERS)
        self._session.auth = credentials.auth()
        self._verified_by = trusted_authorities(ca_file)
        self._session.mount("https://", ModernTls())

    def close(self) -> None:
        """End the session."""
        self._session.close()

    def forget_session(self) -> None:
        """Drop the cookie; the next request starts a session with the rights of then."""
        self._session.cookies.clear()

    def send(self, request: Request) -> Answer:
        """Return the answer to a request, whatever its status.

        Raises:
            TransientError: No answer, or half of one, or not in time.
            PermanentError: The server's certificate is not trusted.
            UnexpectedAnswer: The answer is too long, or not HTTP.
        """
        in_session = bool(self._session.cookies)
        answer = self._send(request)
        if answer.status in _LOGGED_OUT and in_session:
            # Refused at the door, so nothing happened: even a write may come again.
            return self._send(request)
        return answer

    def _send(self, request: Request) -> Answer:
        what = f"{self._name}: {request.method} {request.path}"
        began = time.monotonic()
        with our_errors(what), self._open(request) as response:
            body = read_body(response, what, self._limits, began)
        if response.status_code in _LOGGED_OUT:
            self.forget_session()  # a cookie that came with it is no session's
        headers = response.headers
        kind, retry_after = headers.get("Content-Type", ""), headers.get("Retry-After", "")
        return Answer(what, response.status_code, kind, body, retry_after)

    def _open(self, request: Request) -> requests.Response:
        headers = {"X-Request-ID": str(uuid.uuid4()), "Accept": request.accept}
        if request.kind:
            headers["Content-Type"] = request.kind
        made = self._session.prepare_request(
            requests.Request(
                request.method,
                f"{self.url}{request.path}",
                data=request.body,
                files=request.files,
                headers=headers,
            )
        )
        if request.params:
            # A list of UIDs is long, and requests would look at each letter of it twice. Its
            # commas may stand as they are (RFC 3986, 3.4); urllib3 looks at each that is escaped.
            made.url = f"{made.url}?{urlencode(request.params, doseq=True, safe=',')}"
        # What a session does besides is to look where a redirect leads: a tenth of a request.
        response = self._session.get_adapter(f"{made.url}").send(
            made,
            stream=True,
            timeout=(self._limits.connect, self._limits.read),
            verify=self._verified_by,
        )
        extract_cookies_to_jar(self._session.cookies, made, response.raw)  # type: ignore[no-untyped-call]
        return response
