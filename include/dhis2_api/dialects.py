"""The dialects: how the versions of DHIS2 differ on the wire, as one table."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dhis2_api.errors import UnsupportedVersion


@dataclass(frozen=True, slots=True)
class Dialect:
    """What one minor version of DHIS2 calls things.

    Attributes:
        version: The minor version, e.g. `2.42`.
        enrollment_order: The `order` an enrollment listing is paged by; empty for the
            server's own, where `createdAt:asc` is an SQL error (measured: Listings that fail).
    """

    version: str
    enrollment_order: str


DIALECTS = {dialect.version: dialect for dialect in (Dialect("2.42", enrollment_order=""),)}


def dialect_of(version: str) -> Dialect:
    """Return the dialect of a server's *version*, e.g. `2.42.4`.

    Raises:
        UnsupportedVersion: This release was not proven on it.
    """
    found = re.match(r"2\.\d+", version)
    dialect = DIALECTS.get(found.group()) if found else None
    if dialect is None:
        raise UnsupportedVersion(
            f"DHIS2 {version[:20]} is not supported by this release, which speaks "
            f"{', '.join(sorted(DIALECTS))}: use such a server, or another release"
        )
    return dialect
