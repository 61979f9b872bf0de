"""Which members of a metadata object are shown?"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dhis2_sandbox.exports.fields import Selection, parse_fields
from dhis2_sandbox.metadata.store import Members, Metadata


_COMPUTED = frozenset(
    {"access", "displayName", "displayShortName", "favorite", "favorites", "href"}
)
_PRESETS: Mapping[str, tuple[str, ...]] = {
    "identifiable": ("id", "name", "code", "created", "lastUpdated", "lastUpdatedBy"),
    "nameable": ("id", "name", "shortName", "code", "description", "created", "lastUpdated"),
    "persisted": (),
    "owner": (),
}
#: Members that hold {id} and can be looked into, with the class that they name.
LOOKED_INTO: Mapping[str, str] = {
    "attribute": "attributes",
    "categories": "categories",
    "categoryCombo": "categoryCombos",
    "categoryOptions": "categoryOptions",
    "children": "organisationUnits",
    "commentOptionSet": "optionSets",
    "dataElement": "dataElements",
    "dataElements": "dataElements",
    "enrollmentCategoryCombo": "categoryCombos",
    "legendSets": "legendSets",
    "notificationTemplates": "programNotificationTemplates",
    "option": "options",
    "optionGroup": "optionGroups",
    "optionSet": "optionSets",
    "options": "options",
    "organisationUnits": "organisationUnits",
    "parent": "organisationUnits",
    "program": "programs",
    "programIndicators": "programIndicators",
    "programRule": "programRules",
    "programRuleActions": "programRuleActions",
    "programSections": "programSections",
    "programStage": "programStages",
    "programStageSections": "programStageSections",
    "programStages": "programStages",
    "programs": "programs",
    "relatedProgram": "programs",
    "trackedEntityAttribute": "trackedEntityAttributes",
    "trackedEntityAttributes": "trackedEntityAttributes",
    "trackedEntityType": "trackedEntityTypes",
    "userRoles": "userRoles",
}


@dataclass(frozen=True, slots=True)
class Viewer:
    """Shows objects with the members asked for, looking into what they refer to."""

    metadata: Metadata

    def show(self, item: Members, selection: Selection) -> Members:
        """Return the members that are asked for."""
        owned = selection.presets & {"owner", "persisted"}
        named = {name for preset in selection.presets for name in _PRESETS.get(preset, ())}
        return {
            name: self._inside(name, value, selection)
            for name, value in item.items()
            if name not in selection.without
            and (selection.asks_for(name) or name in named or (owned and name not in _COMPUTED))
        }

    def _inside(self, name: str, value: Any, selection: Selection) -> Any:
        inner = selection.names.get(name)
        if inner is None or inner.is_empty:
            return value
        if isinstance(value, list):
            return [self._inside(name, item, selection) for item in value]
        if isinstance(value, dict):
            known = self.metadata.get(LOOKED_INTO.get(name, ""), value.get("id"))
            return self.show(known if known is not None else value, inner)
        return value


def selection_for(parameters: Mapping[str, str], default: str) -> Selection:
    """Return what `fields` asks for, or the default of the endpoint."""
    return parse_fields(parameters.get("fields") or default)
