"""YAML read strictly: no key twice, and the line each value came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml


Path = tuple[str | int, ...]

_AS_WRITTEN = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:merge")


class NotStrictYaml(Exception):
    """The text is not YAML, or says something twice.

    Attributes:
        line: The line at fault, counted from 1.
    """

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML text as a value, with the line of each path into it.

    Attributes:
        value: What the text says.
        lines: The line of a key or item, e.g. `("programs", 0)`.
    """

    value: Any
    lines: dict[Path, int]

    def line_of(self, path: Path) -> int:
        """Return the line of *path*, or of the nearest part of it that the text has."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def read_strict_yaml(text: str) -> Document:
    """Read one YAML document.

    Raises:
        NotStrictYaml: It is not YAML, or a key stands twice (plain YAML keeps the
            last of two equal keys in silence).
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        lines: dict[Path, int] = {}
        _walk(root, (), lines)
        return Document(yaml.safe_load(text), lines)
    except (ValueError, RecursionError):
        # A date that is none, or a value that holds itself: PyYAML doesn't say where.
        raise NotStrictYaml("a value that cannot be read, e.g. a date that is none", 1) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        problem = getattr(error, "problem", None) or "not YAML"
        raise NotStrictYaml(str(problem), line) from None


def _walk(node: yaml.Node | None, path: Path, lines: dict[Path, int]) -> None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.tag not in _AS_WRITTEN:  # `no`, `01` and the like would be another text
                raise NotStrictYaml(
                    f"key `{key.value}` is no text; quote it", key.start_mark.line + 1
                )
            here = (*path, str(key.value))
            if here in lines:
                raise NotStrictYaml(f"key `{key.value}` stands twice", key.start_mark.line + 1)
            lines[here] = key.start_mark.line + 1
            _walk(value, here, lines)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            lines[(*path, index)] = item.start_mark.line + 1
            _walk(item, (*path, index), lines)
