"""The strict terms: what every part of a route file is made of."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


Uid = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9]{10}$", description="a DHIS2 UID")]


class Strict(BaseModel):
    """A part of a route: nothing in it that nobody knows, nothing of another type."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
