"""What makes up one running sandbox?"""

from dataclasses import dataclass, field

from dhis2_sandbox.access.accounts import Accounts
from dhis2_sandbox.clock import Clock
from dhis2_sandbox.database import Database
from dhis2_sandbox.dialect import Dialect
from dhis2_sandbox.faults.delays import NO_DELAYS, Delays
from dhis2_sandbox.imports.importer import TrackerImporter
from dhis2_sandbox.metadata.importer import MetadataImporter
from dhis2_sandbox.metadata.model import Model
from dhis2_sandbox.metadata.store import Metadata, MetadataStore


@dataclass(slots=True)
class Sandbox:
    """The parts of one server, shared by all of its requests."""

    database: Database
    store: MetadataStore
    accounts: Accounts
    clock: Clock
    dialect: Dialect
    _model: Model = field(init=False)

    def __post_init__(self) -> None:
        """Arrange the metadata that is there."""
        self._model = Model(self.store.current())

    @property
    def metadata(self) -> Metadata:
        """The present metadata."""
        return self.store.current()

    @property
    def model(self) -> Model:
        """The present metadata, arranged; it is arranged anew after every change."""
        current = self.store.current()
        if self._model.metadata is not current:
            self._model = Model(current)
        return self._model

    @property
    def system_id(self) -> str:
        """What tells this server from another one."""
        with self.database.reading() as connection:
            row = connection.execute("SELECT value FROM setting WHERE name = 'systemId'").fetchone()
        return str(row["value"])

    def metadata_importer(self, clock: Clock | None = None) -> MetadataImporter:
        """Return what takes metadata in, by the server's clock or another one."""
        return MetadataImporter(
            self.database, self.store, self.accounts, clock or self.clock, self.dialect
        )

    def tracker_importer(
        self, clock: Clock | None = None, delays: Delays = NO_DELAYS
    ) -> TrackerImporter:
        """Return what takes tracker data in, by the server's clock or another one."""
        return TrackerImporter(self.database, clock or self.clock, self.dialect, delays)
