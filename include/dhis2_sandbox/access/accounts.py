"""Who is asking?

A password is checked anew on every request without a session cookie, and that costs time, as on
a real server (measured); a session keeps the rights it started with.
"""

import base64
import hashlib
import secrets
import sqlite3
from dataclasses import dataclass, field

from fastapi import Request

from dhis2_sandbox.access.rights import Rights, rights_of
from dhis2_sandbox.database import Database
from dhis2_sandbox.http.answers import Refused
from dhis2_sandbox.metadata.store import MetadataStore


COOKIE = "JSESSIONID"
_ROUNDS = 60_000


@dataclass(frozen=True, slots=True)
class Visitor:
    """An account that has proved itself, and the session that was opened for it, if any."""

    rights: Rights
    new_session: str | None = None


@dataclass(slots=True)
class Accounts:
    """Passwords, tokens and sessions."""

    database: Database
    metadata: MetadataStore
    sessions: dict[str, Rights] = field(default_factory=dict)

    def set_password(
        self, connection: sqlite3.Connection, user: tuple[str, str], password: str
    ) -> None:
        """Keep the digest of a password. The user is (username, UID)."""
        salt = secrets.token_bytes(16)
        connection.execute(
            "INSERT OR REPLACE INTO credential VALUES (?, ?, ?, ?)",
            (*user, salt, _digest(password, salt)),
        )

    def set_token(self, connection: sqlite3.Connection, username: str, token: str) -> None:
        """Keep the digest of a personal access token."""
        connection.execute("INSERT OR REPLACE INTO token VALUES (?, ?)", (_hash(token), username))

    def recognise(self, request: Request) -> Visitor | None:
        """Return who asks, or None for nobody and for a wrong password.

        Raises:
            Refused: 400 for a damaged token (measured).
        """
        rights = self.sessions.get(request.cookies.get(COOKIE, ""))
        if rights is not None:
            return Visitor(rights)
        scheme, _, proof = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "apitoken":
            return Visitor(self._by_token(proof.strip()))
        if scheme.lower() == "basic":
            return self._by_password(proof)
        return None

    def _by_token(self, token: str) -> Rights:
        with self.database.reading() as connection:
            row = connection.execute(
                "SELECT username FROM token WHERE digest = ?", (_hash(token),)
            ).fetchone()
        rights = self._rights(row["username"]) if row is not None else None
        if rights is None:
            raise Refused(400, "Checksum validation failed for the personal access token")
        return rights

    def _by_password(self, proof: str) -> Visitor | None:
        username, _, password = _decoded(proof).partition(":")
        with self.database.reading() as connection:
            row = connection.execute(
                "SELECT salt, digest FROM credential WHERE username = ?", (username,)
            ).fetchone()
        if row is None or not secrets.compare_digest(_digest(password, row["salt"]), row["digest"]):
            return None
        rights = self._rights(username)
        if rights is None:
            return None
        session = secrets.token_hex(16).upper()
        self.sessions[session] = rights
        return Visitor(rights, session)

    def _rights(self, username: str) -> Rights | None:
        metadata = self.metadata.current()
        users = (user for user in metadata.all("users") if user["username"] == username)
        user = next(users, None)
        return rights_of(user, metadata) if user is not None else None


def _decoded(proof: str) -> str:
    try:
        return base64.b64decode(proof, validate=True).decode()
    except ValueError:
        return ""


def _digest(password: str, salt: bytes) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _ROUNDS)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
