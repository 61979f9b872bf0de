"""Which members of an object does the `fields` parameter ask for?

The grammar is DHIS2's: names, `*`, `!name`, `:preset`, and `name[...]` or `name(...)` below.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Selection:
    """One level of a `fields` text."""

    everything: bool = False
    names: dict[str, "Selection"] = field(default_factory=dict)
    without: set[str] = field(default_factory=set)
    presets: set[str] = field(default_factory=set)

    def asks_for(self, name: str) -> bool:
        """Tell whether this member is to be shown."""
        return name not in self.without and (self.everything or name in self.names)

    def below(self, name: str) -> "Selection":
        """Return what is asked for inside a member: everything, unless something is named."""
        inner = self.names.get(name)
        return inner if inner is not None and not inner.is_empty else ALL

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all was named."""
        return not (self.everything or self.names or self.presets or self.without)

    def apply(self, value: Any) -> Any:
        """Return the value with only the members asked for, at every level."""
        if isinstance(value, list):
            return [self.apply(item) for item in value]
        if not isinstance(value, Mapping):
            return value
        return {
            name: self.below(name).apply(member)
            for name, member in value.items()
            if self.asks_for(name)
        }


ALL = Selection(everything=True)


def parse_fields(text: str) -> Selection:
    """Read a `fields` text. What follows an unbalanced bracket is read as far as it goes."""
    selection, _ = _parse_level(text, 0)
    return selection


def _parse_level(text: str, position: int) -> tuple[Selection, int]:
    level = Selection()
    name = ""
    while position < len(text):
        sign = text[position]
        position += 1
        if sign in "[(":
            inner, position = _parse_level(text, position)
            _take(level, name.strip(), inner)
            name = ""
        elif sign in ",])":
            _take(level, name.strip(), Selection())
            name = ""
            if sign != ",":
                return level, position
        else:
            name += sign
    _take(level, name.strip(), Selection())
    return level, position


def _take(level: Selection, name: str, inner: Selection) -> None:
    if name in {"*", ":all"}:
        level.everything = True
    elif name.startswith("!"):
        level.without.add(name[1:])
    elif name.startswith(":"):
        level.presets.add(name[1:])
    elif name:
        level.names[name] = inner
