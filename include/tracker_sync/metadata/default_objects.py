"""The default objects: which of a server's category objects are those of its own making?"""

from __future__ import annotations

from collections.abc import Mapping

from dhis2_api.errors import UnexpectedAnswer
from dhis2_api.metadata import DEFAULT_CLASSES
from dhis2_api.metadata_classes import Asked
from tracker_sync.metadata.classes import Objects


#: How they are asked for: a server finds its own by their name; the UIDs differ on servers
#: born before 2.2x (metadata 2.5).
BY_NAME = tuple(Asked(plural, "name:eq:default") for plural in DEFAULT_CLASSES)


def default_objects(objects: Objects, server: str) -> Mapping[str, str]:
    """Return the UID of the default object of each class that has one.

    Raises:
        UnexpectedAnswer: A class has none among these objects, or several.
    """
    found = {}
    for plural in DEFAULT_CLASSES:
        named = [
            uid for uid, fields in objects.get(plural, {}).items() if fields["name"] == "default"
        ]
        if len(named) != 1:
            raise UnexpectedAnswer(
                f"{server}: {len(named)} of the {plural} are named default instead of one"
            )
        found[plural] = named[0]
    return found


def has_defaults(objects: Objects) -> bool:
    """Whether the default object of each class is among these."""
    return all(
        any(fields.get("name") == "default" for fields in objects.get(plural, {}).values())
        for plural in DEFAULT_CLASSES
    )
