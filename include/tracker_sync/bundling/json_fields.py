"""JSON fields: how the columns of a table become one JSON object a row."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc

from tracker_sync.bundling.json_text import escaped, joined


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the objects of a table.

    Attributes:
        name: Its key.
        before: What stands between the key's colon and the value.
        values: The value of each row, or of all; a row without one has not the field at all.
        after: What stands behind the value.
    """

    name: str
    before: str
    values: pa.Array | str
    after: str

    @classmethod
    def text(cls, name: str, texts: pa.Array) -> Self:
        """Return a field whose values are texts."""
        return cls(name, '"', escaped(texts), '"')

    @classmethod
    def flag(cls, name: str, flags: pa.Array) -> Self:
        """Return a field that is there in every row; what is not set is false."""
        flags = pc.fill_null(flags, fill_value=False)
        if not flags.true_count:
            return cls(name, "", "false", "")
        return cls(name, "", pc.if_else(flags, "true", "false"), "")

    @classmethod
    def json(cls, name: str, texts: pa.Array) -> Self:
        """Return a field whose values are JSON already."""
        return cls(name, "", texts, "")

    def parts(self, first: str, last: str) -> Iterable[pa.Array | str]:
        """Return the field between two texts, for `joined`."""
        before, after = f'{first}"{self.name}":{self.before}', f"{self.after}{last}"
        if isinstance(self.values, str) or not self.values.null_count:
            return before, self.values, after
        return (pc.fill_null(joined(before, self.values, after), ""),)


def objects(fields: Iterable[Field], always: str) -> pa.Array:
    """Return `{"NAME":VALUE,…}` a row, the names in order.

    Args:
        fields: What each object has.
        always: The name of a field that no object lacks.
    """
    parts: list[pa.Array | str] = ["{"]
    for field in sorted(fields, key=lambda field: field.name):
        comma = "" if field.name == always else ","
        parts += field.parts("", comma) if field.name < always else field.parts(comma, "")
    return joined(*parts, "}")
