"""How are recorded exchanges sent to a sandbox again?"""

import gzip
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests


_RECORDINGS = Path(__file__).parent / "recordings"
PASSWORDS = {"admin": "district-1234!", "sync": "Account-1234!", "dakar": "Account-1234!"}
_FILE = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
_WRONG_PASSWORD = "wrong-password"
_NO_HEADER = "no-session-header"
_JOB = "/api/tracker/jobs/"


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and a body: JSON, or {"text": ...} for anything else."""

    status: int
    body: Any


@dataclass(frozen=True, slots=True)
class Exchange:
    """One recorded request with the real server's answer."""

    version: str
    name: str
    request: dict[str, Any]
    recorded: Answer


def recorded(version: str) -> Iterator[Exchange]:
    """Yield the exchanges with a server of this version, in the order they were recorded."""
    path = _RECORDINGS / version / "exchanges.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            item = json.loads(line)
            answer = Answer(item["response"]["status"], item["response"]["body"])
            yield Exchange(version, item["name"], item["request"], answer)


def known_differences(version: str) -> dict[str, str]:
    """Return which exchanges may differ, and why."""
    path = _RECORDINGS / version / "differences.json"
    reasons: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return reasons


@dataclass(slots=True)
class Replay:
    """Sends recorded requests; each account keeps its session until its rights change."""

    base_url: str
    sessions: dict[str | None, requests.Session] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)

    def send(self, exchange: Exchange) -> Answer:
        """Send the request and return the sandbox's answer, in the recording's generated UIDs."""
        request, name = exchange.request, exchange.name
        session = self._session(request["user"], wrong=_WRONG_PASSWORD in name)
        path = _replaced(request["path"], {theirs: ours for ours, theirs in self.renamed.items()})
        if path.startswith(_JOB):
            self._wait_for(path)
        response = session.request(
            request["method"],
            self.base_url + path,
            params=request.get("params"),
            headers={} if _NO_HEADER in name else {"X-Requested-With": "XMLHttpRequest"},
            allow_redirects=False,
            timeout=60,
            **_payload(request),
        )
        self._note_generated(exchange, _body(response.text))
        if request["path"].startswith("/api/users") or "users" in (request.get("body") or {}):
            self.sessions.clear()
        return Answer(response.status_code, _body(_replaced(response.text, self.renamed)))

    def _session(self, user: str | None, *, wrong: bool) -> requests.Session:
        if wrong:
            session = requests.Session()
            session.auth = ("admin", "wrong")
            return session
        if user not in self.sessions:
            self.sessions[user] = requests.Session()
            if user is not None:
                self.sessions[user].auth = (user, PASSWORDS[user])
        return self.sessions[user]

    def _note_generated(self, exchange: Exchange, ours: Any) -> None:
        """Remember which UID of ours stands for which generated one of the recording."""
        if exchange.request["method"] == "GET":
            return
        sent = str(exchange.request.get("body"))
        theirs = _reported_uids(exchange.recorded.body)
        pairs = zip(_reported_uids(ours), theirs, strict=False)
        self.renamed |= {
            mine: real for mine, real in pairs if real not in sent and mine not in sent
        }

    def _wait_for(self, path: str) -> None:
        job = path.removeprefix(_JOB).split("/")[0]
        for _ in range(100 if job in self.renamed else 0):
            said = self._session("admin", wrong=False).get(
                f"{self.base_url}{_JOB}{job}", timeout=60
            )
            if said.json()[0]["completed"]:
                return
            time.sleep(0.05)


def _reported_uids(body: Any) -> list[str]:
    """Return the UIDs of a job or of stored objects."""
    if not isinstance(body, dict):
        return []
    if "Tracker job added" in str(body.get("message")):
        return [body["response"]["id"]]
    reports = (body.get("bundleReport") or {}).get("typeReportMap", {})
    return [item["uid"] for report in reports.values() for item in report["objectReports"]]


def _replaced(text: str, names: Mapping[str, str]) -> str:
    for old, new in names.items():
        text = text.replace(old, new)
    return text


def _payload(request: dict[str, Any]) -> dict[str, Any]:
    if "files" in request:
        return {"files": {"file": ("report.pdf", _FILE, "application/pdf")}}
    if "raw" in request:
        return {"data": request["raw"]}
    return {"json": request["body"]} if request.get("body") is not None else {}


def _body(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return {"text": text}
