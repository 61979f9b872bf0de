"""The routes: every file of the routes folder, as a route or as what is wrong with it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tracker_sync.mapping.beside import BadMappingFile, with_file
from tracker_sync.route import Route
from tracker_sync.strict_yaml import Document, NotStrictYaml, read_strict_yaml


ROUTES_HERE = Path(__file__).parents[1] / "routes"

_REMEDIES = {
    "extra_forbidden": "no such key; correct or remove it",
    "missing": "this key is needed; add it",
    "string_type": "a text is needed here",
    "int_type": "a whole number is needed here",
    "bool_type": "true or false is needed here",
}

_UID = "a UID is a letter followed by ten letters or digits; copy it from the server"
_FORMS = {
    "programs": _UID,
    "org_units": _UID,
    "mapping": f"{_UID}; `drop` is not for every table",
    "name": "the file's name may hold a-z, 0-9 and _ and begins with a letter; rename it",
}


class InvalidRoute(Exception):
    """A route file that cannot be used; says file, line, key and remedy."""


@dataclass(frozen=True, slots=True)
class BrokenRoute:
    """A route file that cannot be used.

    Attributes:
        name: What the route would have been called, fit for a DAG's name.
        reason: File, line, key and remedy, in one line.
    """

    name: str
    reason: str


def routes_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of route files: `TRACKER_SYNC_ROUTES`, or the project's own."""
    return Path(environment.get("TRACKER_SYNC_ROUTES") or ROUTES_HERE)


def load_routes(folder: Path) -> list[Route | BrokenRoute]:
    """Return every route of *folder*, by name; a broken one never hides the others."""
    if not folder.is_dir():
        reason = f"{folder} is no folder; correct TRACKER_SYNC_ROUTES"
        return [BrokenRoute("routes_folder", reason)]
    found: dict[str, Route | BrokenRoute] = {}
    for path in sorted(folder.glob("*.y*ml")):
        route = _route_or_reason(path)
        if route.name in found:
            reason = f"{path.name} and another file make the same route name; rename one"
            route = BrokenRoute(route.name, reason)
        found[route.name] = route
    return [*found.values()]


def load_route(path: Path) -> Route:
    """Return the route in the file at *path*.

    Raises:
        InvalidRoute: The file cannot be read or says something it may not.
    """
    document = _document(path)
    if "name" in document.value:
        line = document.line_of(("name",))
        raise InvalidRoute(f"{path.name}, line {line}: `name`: the file's name is it; remove it")
    try:
        # As JSON, because strict types there are those of YAML: lists, and no number for a text.
        text = json.dumps({**_whole(path, document), "name": path.stem}, default=str)
        return Route.model_validate_json(text)
    except ValidationError as error:
        raise InvalidRoute(_first_problem(path, document, error)) from None


def _whole(path: Path, document: Document) -> dict[str, Any]:
    """Return what a route says, with the tables of the file that its mapping names."""
    said: dict[str, Any] = document.value
    mapping = said.get("mapping")
    if not isinstance(mapping, dict) or "file" not in mapping:
        return said
    try:
        return {**said, "mapping": with_file(mapping, path.parent)}
    except BadMappingFile as error:
        line = document.line_of(("mapping", "file"))
        where = f"{path.name}, line {line}: `mapping.file`: {mapping['file']}, line {error.line}"
        raise InvalidRoute(f"{where}: {error}") from None


def _document(path: Path) -> Document:
    try:
        document = read_strict_yaml(path.read_text(encoding="utf-8"))
    except NotStrictYaml as error:
        raise InvalidRoute(f"{path.name}, line {error.line}: {error}; correct it") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRoute(f"{path.name} cannot be read ({type(error).__name__})") from None
    if not isinstance(document.value, dict):
        raise InvalidRoute(f"{path.name}, line 1: a route is `key: value` lines; see demo.yaml")
    return document


def _first_problem(path: Path, document: Document, error: ValidationError) -> str:
    problem: Any = error.errors(include_url=False, include_input=False)[0]
    key = ".".join(str(part) for part in problem["loc"]) or "the route"
    line = document.line_of(tuple(problem["loc"]))
    remedy = _remedy(problem)
    return f"{path.name}, line {line}: `{key}`: {remedy}"


def _remedy(problem: Any) -> str:
    if problem["type"] == "string_pattern_mismatch":
        return _FORMS.get(str(problem["loc"][0]), "not of the form that is needed here")
    message: str = problem["msg"]
    return _REMEDIES.get(problem["type"], message.removeprefix("Value error, "))


def _route_or_reason(path: Path) -> Route | BrokenRoute:
    try:
        return load_route(path)
    except InvalidRoute as error:
        return BrokenRoute(re.sub(r"[^A-Za-z0-9_.-]", "_", path.stem)[:100], str(error))
