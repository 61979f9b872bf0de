"""What is shown inside the people, enrollments, events and relationships of a page?

Children are read only if `fields` asks for them.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dhis2_sandbox.exports.children import Children, Grouped
from dhis2_sandbox.exports.fields import Selection
from dhis2_sandbox.exports.part_views import (
    attribute_views,
    bare_end,
    note_view,
    owner_view,
    relationship_view,
    visible,
)
from dhis2_sandbox.exports.person_attributes import attributes_of
from dhis2_sandbox.exports.views import (
    enrollment_view,
    entity_view,
    event_view,
)
from dhis2_sandbox.imports.kinds import UID_MEMBER, Kind
from dhis2_sandbox.metadata.store import Members


_TABLES = {Kind.ENTITY: "entity", Kind.ENROLLMENT: "enrollment", Kind.EVENT: "event"}


@dataclass(frozen=True, slots=True)
class Details:
    """Shows rows with their children.

    Attributes:
        as_end: shows the end of a relationship: a person with the attributes of every program,
            no relationships, and without some members (recordings: 161, 166).
        nested: shows relationships inside of something else.
    """

    children: Children
    as_end: bool = False
    nested: bool = False

    def show(self, kind: Kind, rows: Sequence[sqlite3.Row], selection: Selection) -> list[Members]:
        """Show rows of one kind with the members that are asked for."""
        shows = {
            Kind.ENTITY: self._entities,
            Kind.ENROLLMENT: self._enrollments,
            Kind.EVENT: self._events,
            Kind.RELATIONSHIP: self._relationships,
        }
        dialect = self.children.dialect
        views = [visible(view, kind, dialect.hidden) for view in shows[kind](rows, selection)]
        if self.as_end:
            views = [visible(view, kind, dialect.hidden_at_ends) for view in views]
        return [selection.apply(view) for view in views]

    def _entities(self, rows: Sequence[sqlite3.Row], selection: Selection) -> list[Members]:
        uids, model = [row["uid"] for row in rows], self.children.model
        wanted, below = selection.asks_for, selection.below("enrollments")
        values = self.children.values(uids) if wanted("attributes") else {}
        enrollments = self.children.enrollments(uids) if wanted("enrollments") else {}
        owners = self.children.owners(uids) if wanted("programOwners") else {}
        enrolled = self.children.enrolled(uids) if self.as_end else frozenset(uids)
        shown = self.shown_by_row(Kind.ENROLLMENT, enrollments, below)
        links = self._links(uids, selection)
        return [
            entity_view(row, model)
            | links.get(row["uid"], {})
            | {
                "attributes": attribute_views(
                    values.get(row["uid"], ()),
                    attributes_of(self.children, row, enrolled=enrolled, as_end=self.as_end),
                    model,
                ),
                "enrollments": shown.get(row["uid"], []),
                "programOwners": [owner_view(owner) for owner in owners.get(row["uid"], ())],
            }
            for row in rows
        ]

    def _enrollments(self, rows: Sequence[sqlite3.Row], selection: Selection) -> list[Members]:
        uids, model = [row["uid"] for row in rows], self.children.model
        people, wanted = {row["entity"] for row in rows}, selection.asks_for
        values = self.children.values(people) if wanted("attributes") else {}
        events = self.children.events(uids) if wanted("events") else {}
        notes = self.children.notes(uids) if wanted("notes") else {}
        shown = self.shown_by_row(Kind.EVENT, events, selection.below("events"))
        links = self._links(uids, selection)
        return [
            enrollment_view(row, model)
            | {"events": shown.get(row["uid"], [])}
            | links.get(row["uid"], {})
            | {
                "attributes": attribute_views(
                    values.get(row["entity"], ()),
                    model.program_attributes.get(row["program"], {}),
                    model,
                ),
                "notes": [note_view(note, model) for note in notes.get(row["uid"], ())],
            }
            for row in rows
        ]

    def _events(self, rows: Sequence[sqlite3.Row], selection: Selection) -> list[Members]:
        uids, model = [row["uid"] for row in rows], self.children.model
        notes = self.children.notes(uids) if selection.asks_for("notes") else {}
        followed = self.children.followed({row["enrollment"] for row in rows} - {None})
        links = self._links(uids, selection)
        return [
            event_view(row, model, self.children.dialect, follow_up=row["enrollment"] in followed)
            | links.get(row["uid"], {})
            | {"notes": [note_view(note, model) for note in notes.get(row["uid"], ())]}
            for row in rows
        ]

    def _relationships(self, rows: Sequence[sqlite3.Row], selection: Selection) -> list[Members]:
        if not rows:  # as nearly always: it costs a dozen queries to find nothing at their ends
            return []
        ends: dict[str, Members] = {}
        children, older = self.children, self.children.dialect.shows_every_program
        reader = children if older else replace(children, program=None)
        details = Details(reader, as_end=True, nested=self.nested)
        for side in ("from", "to"):
            for kind, table in _TABLES.items() if selection.asks_for(side) else ():
                named = [row[f"{side}_uid"] for row in rows if row[f"{side}_kind"] == kind]
                found = self.children.rows(table, "uid", named)
                inner = selection.below(side).below(UID_MEMBER[kind])
                bare = self.nested and children.dialect.nested_ends_bare
                shown = (
                    [inner.apply(bare_end(kind, row)) for row in found]
                    if bare
                    else details.show(kind, found, inner)
                )
                ends |= {row["uid"]: view for row, view in zip(found, shown, strict=True)}
        return [relationship_view(row, self.children.model, ends) for row in rows]

    def shown_by_row(
        self, kind: Kind, rows: Grouped, selection: Selection
    ) -> dict[str, list[Members]]:
        """Show grouped rows in one go, and keep the groups."""
        flat = [row for group in rows.values() for row in group]
        views = iter(self.show(kind, flat, selection))
        return {holder: [next(views) for _ in group] for holder, group in rows.items()}

    def _links(self, uids: Sequence[str], selection: Selection) -> Mapping[str, Members]:
        if self.as_end:
            return {}
        links = self.children.links(uids) if selection.asks_for("relationships") else {}
        nested = replace(self, nested=True)
        shown = nested.shown_by_row(Kind.RELATIONSHIP, links, selection.below("relationships"))
        return {uid: {"relationships": shown.get(uid, [])} for uid in uids}
