"""Flat JSON: the text of each object of a set of tables, as it is sent and compared.

Server-owned fields are left out (tracker-api 3.2), business dates stay the text that
came, scalars are always there, because leaving one out resets it (tracker-api 4).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tracker_sync.bundling.json_fields import Field, objects
from tracker_sync.bundling.json_lists import Values, items_of_each
from tracker_sync.bundling.json_text import escaped
from tracker_sync.bundling.projection import Projection
from tracker_sync.staging.columns import Places, column, places, replaced


_STAMPS = ("createdAtClient", "updatedAtClient")
_PERSON = ("orgUnit", "trackedEntity", "trackedEntityType", *_STAMPS)
_ENROLLMENT = (
    *("enrolledAt", "enrollment", "occurredAt", "orgUnit", "program", "status"),
    *("trackedEntity", *_STAMPS),
)
_EVENT = (
    *("attributeOptionCombo", "enrollment", "event", "occurredAt", "orgUnit", "program"),
    *("programStage", "scheduledAt", "status", *_STAMPS),
)


def person_texts(people: pa.Table, attributes: pa.Table, projection: Projection) -> pa.Array:
    """Return the text of each row of `tracked_entities`."""
    values = _present(attributes.filter(pc.is_null(attributes["enrollment"])))
    at = places(values, people, "trackedEntity")
    own = _own(people, values, at, projection)
    flags = (Field.flag(name, column(people, name)) for name in ("inactive", "potentialDuplicate"))
    held = _attributes(len(people), values.filter(own), at[own])
    return objects([*_scalars(people, _PERSON), *flags, held], "attributes")


def enrollment_texts(
    enrollments: pa.Table, attributes: pa.Table, projection: Projection
) -> pa.Array:
    """Return the text of each row of `enrollments`.

    One without a date of incident gets that of its enrollment, as DHIS2 does (tracker-api 4).
    """
    day = pc.coalesce(column(enrollments, "occurredAt"), column(enrollments, "enrolledAt"))
    enrollments = replaced(enrollments, "occurredAt", day)
    values = _present(attributes.filter(pc.is_valid(attributes["enrollment"])))
    at = places(values, enrollments, "enrollment")
    flag = Field.flag("followUp", column(enrollments, "followUp"))
    options = Field.text("attributeOptionCombo", _options(enrollments, projection))
    held = _attributes(len(enrollments), values, at)
    return objects([*_scalars(enrollments, _ENROLLMENT), flag, options, held], "attributes")


def event_texts(events: pa.Table, data_values: pa.Table, projection: Projection) -> pa.Array:
    """Return the text of each row of `events`.

    An event of a program without registration is never planned (2.43: E1318; tracker-api
    5). A user is named by username; leaving it out clears it. What was visited comes back
    as active (measured: Flows).
    """
    status = column(events, "status")
    status = pc.if_else(pc.equal(status, "VISITED"), "ACTIVE", status)
    enrolled = pc.is_valid(column(events, "enrollment"))
    planned = pc.if_else(enrolled, column(events, "scheduledAt"), pa.scalar(None, pa.string()))
    events = replaced(replaced(events, "status", status), "scheduledAt", planned)
    held = _data_values(events, _present(data_values))
    return objects([*_scalars(events, _EVENT), _assignee(events, projection), held], "dataValues")


def _options(enrollments: pa.Table, projection: Projection) -> pa.Array:
    """Return the category options of each enrollment; left out is the default one (tracker-api 4).

    Servers before 2.43 give none, so that the default must not be a difference.
    """
    if not projection.enrolled_options:
        return pa.nulls(len(enrollments), pa.string())
    options = column(enrollments, "attributeOptionCombo")
    default = pa.array(sorted(projection.default_options), pa.string())
    return pc.if_else(pc.is_in(options, value_set=default), pa.scalar(None, pa.string()), options)


def _assignee(events: pa.Table, projection: Projection) -> Field:
    nobody = pc.is_in(
        column(events, "programStage"),
        value_set=pa.array(sorted(projection.no_assignee), pa.string()),
    )
    users = pc.if_else(nobody, pa.scalar(None, pa.string()), column(events, "assignedUser"))
    return Field("assignedUser", '{"username":"', escaped(users), '"}')


def _scalars(rows: pa.Table, names: tuple[str, ...]) -> list[Field]:
    geometry = Field.json("geometry", column(rows, "geometry"))
    return [geometry, *(Field.text(name, column(rows, name)) for name in names)]


def _present(values: pa.Table) -> pa.Table:
    """Leave out what is empty: an empty value clears, as none does (measured: Writing)."""
    held = pc.fill_null(pc.not_equal(values["value"], ""), fill_value=False)
    return values if pc.all(held).as_py() else values.filter(held)


def _own(
    people: pa.Table, values: pa.Table, at: Places, projection: Projection
) -> npt.NDArray[np.bool_]:
    """Return of each value at a person whether its type has the attribute."""
    types = column(people, "trackedEntityType").take(pa.array(at))
    kept = np.ones(len(at), bool)
    for uid, attributes in projection.own_attributes.items():
        of_type = pc.fill_null(pc.equal(types, uid), fill_value=False)
        has = pc.is_in(values["attribute"], value_set=pa.array(sorted(attributes), pa.string()))
        kept &= ~of_type.to_numpy(zero_copy_only=False) | has.to_numpy()
    return kept


def _attributes(count: int, rows: pa.Table, at: Places) -> Field:
    values = Values(at, column(rows, "attribute"), column(rows, "value"), "attribute")
    return Field("attributes", "[", items_of_each(values, count), "]")


def _data_values(events: pa.Table, rows: pa.Table) -> Field:
    keys, texts = column(rows, "dataElement"), column(rows, "value")
    flags = pc.fill_null(column(rows, "providedElsewhere"), fill_value=False)
    at = places(rows, events, "event")
    flags = flags.to_numpy(zero_copy_only=False)
    values = Values(at, keys, texts, "dataElement", "providedElsewhere", flags)
    return Field("dataValues", "[", items_of_each(values, len(events)), "]")
