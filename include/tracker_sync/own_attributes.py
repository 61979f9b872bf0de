"""A person's own attributes: those of the type, whatever else a server lists with them.

Read without a program, 2.42 and newer give a person the type's attributes alone;
older ones give a superuser those of all programs too (tracker-api 1.3), which come
inside the enrollments anyhow. What is compared must be the same on both sides.
"""

from __future__ import annotations

from dataclasses import replace

from tracker_sync.metadata.model import Model
from tracker_sync.trees import Tree


def with_own_attributes(tree: Tree, model: Model) -> Tree:
    """Return *tree* whose person has the attributes of its type and no others."""
    own = model.type_attributes.get(tree.payload.get("trackedEntityType", ""))
    if own is None:  # a deleted person, or a type the model does not speak of
        return tree
    kept = [
        item for item in tree.payload["attributes"] if item["attribute"] in own | model.confidential
    ]
    return replace(tree, payload={**tree.payload, "attributes": kept})
