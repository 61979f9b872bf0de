"""Which attributes stand on the person, rather than on an enrollment?"""

import sqlite3
from collections.abc import Mapping

from dhis2_sandbox.exports.children import Children


def attributes_of(
    children: Children, row: sqlite3.Row, *, enrolled: frozenset[str], as_end: bool
) -> Mapping[str, bool]:
    """Return the attributes of a person's type, and those of programs that are shown with it.

    Args:
        children: reads for the listing, which may be limited to a program.
        row: the person.
        enrolled: the people who have something to do with that program.
        as_end: the person is the end of a relationship.
    """
    model = children.model
    mine = dict(model.type_attributes.get(row["type"], {}))
    if children.program is not None and row["uid"] in enrolled:
        mine |= model.program_attributes.get(children.program, {})
    if children.program is None if as_end else children.every_program:
        for attributes in model.program_attributes.values():
            mine |= attributes
    return mine
