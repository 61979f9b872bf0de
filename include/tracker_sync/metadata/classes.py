"""The classes: what in an object of metadata is content, and what is the server's own?"""

from __future__ import annotations

from collections.abc import Mapping

from dhis2_api.metadata import Fields


#: Objects by class (as the API spells its plural) and UID.
Objects = Mapping[str, Mapping[str, Fields]]

#: Classes whose objects name the program they are of. It does not name them all, so they stay
#: active when they are gone at the source (metadata 3).
OF_PROGRAM = (
    "programIndicators",
    "programRuleVariables",
    "programRules",
    "programSections",
    "programStages",
)

#: Those among them that need not be named by anything: no reference shows that one is lost.
UNNAMED = ("programIndicators", "programRuleVariables", "programRules")

#: Rows that join two objects: what names a row is the object it joins, not an id of its own,
#: which a server makes anew with every import (measured on 2.42: programStageDataElements).
JOINED_BY = {
    "attributeValues": "attribute",
    "programStageDataElements": "dataElement",
    "programTrackedEntityAttributes": "trackedEntityAttribute",
    "trackedEntityTypeAttributes": "trackedEntityAttribute",
}

#: Rows of one object alone: what names them, or nothing if they are one value. Their ids are
#: sent and not compared, because nothing refers to them and a server may give others.
OWN_ROWS = {"analyticsPeriodBoundaries": None, "legends": "name"}

#: What is one value, whatever it is made of: the order of coordinates is no set.
OPAQUE = frozenset({"geometry"})

#: What a server derives for such a row from the objects it joins.
DERIVED_IN_ROWS = frozenset(
    {"id", "name", "valueType", "program", "programStage", "trackedEntityType"}
)

#: Rows in the order of their `sortOrder`; some servers number them by position.
RANKED = frozenset({"programStageDataElements", "programTrackedEntityAttributes"})

#: Lists whose order is part of the content, by class; all others are sets.
ORDERED = {
    "categories": frozenset({"categoryOptions"}),
    "categoryCombos": frozenset({"categories"}),
    "dataElements": frozenset({"legendSets"}),
    "optionSets": frozenset({"options"}),
    "programIndicators": frozenset({"legendSets"}),
    "programSections": frozenset({"trackedEntityAttributes"}),
    "programStageSections": frozenset({"dataElements", "programIndicators"}),
    "trackedEntityAttributes": frozenset({"legendSets"}),
    "trackedEntityTypes": frozenset({"trackedEntityTypeAttributes"}),
}

#: What a server says about an object: never sent, never compared (metadata 2.9).
SERVER_OWNED = frozenset(
    {
        "access",
        "children",  # of an org unit: each of them names its parent
        "created",
        "createdBy",
        "displayDescription",
        "displayFormName",
        "displayName",
        "displayShortName",
        "externalAccess",
        "favorite",
        "favorites",
        "href",
        "lastUpdated",
        "lastUpdatedBy",
        "level",
        "path",
        "publicAccess",
        "user",
        "userAccesses",
        "userGroupAccesses",
    }
)

#: What a server counts or numbers by itself, by class: not compared.
NUMBERED = {
    "optionSets": frozenset({"version"}),
    "options": frozenset({"sortOrder"}),  # the order stands in the option set's list
    "programs": frozenset({"version"}),
}
