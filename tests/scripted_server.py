"""A server on a real socket that answers as a test scripts it, for what no good server does."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes
    kind: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False  # promise more bytes than are sent, then hang up


def as_json(body: Any, status: int = 200) -> Reply:
    return Reply(status, json.dumps(body).encode())


Script = Callable[[Request], Reply | None]  # nothing: hang up without an answer


@dataclass
class ScriptedServer:
    url: str
    requests: list[Request]


def of_version(version: str, script: Script) -> Script:
    """Answer what the version is, and leave all else to *script*."""
    info = as_json({"version": version})
    return lambda request: info if request.path == "/api/system/info" else script(request)


def _read(body: bytes, kind: str) -> Any:
    if "json" in kind:
        return json.loads(body)
    return body or None


@contextmanager
def scripted(script: Script, certificate: Path | None = None) -> Iterator[ScriptedServer]:
    seen: list[Request] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # headers and body are two writes: 40 ms a request

        def answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            url = urlsplit(self.path)
            request = Request(
                self.command,
                url.path,
                dict(parse_qsl(url.query)),
                dict(self.headers),
                _read(body, self.headers.get("Content-Type") or ""),
            )
            seen.append(request)
            reply = script(request)
            if reply is None:
                self.close_connection = True
                return
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.kind)
            self.send_header("Content-Length", str(len(reply.body) + 10 * reply.cut))
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)
            self.close_connection = self.close_connection or reply.cut

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = answer

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield ScriptedServer(f"http://127.0.0.1:{server.server_port}", seen)
        finally:
            server.shutdown()
            thread.join()
