"""The metadata that the data needs: read at the source, compared, and written where it lacks."""

from tracker_sync.metadata.model import Model, OrgUnit
from tracker_sync.metadata.synchronisation import MetadataResult, describe, synchronise


__all__ = ["MetadataResult", "Model", "OrgUnit", "describe", "synchronise"]
