"""The codes: what each one means and who mends it, in English and in French."""

from tracker_sync.codes.table import REMEDIES, Remedy, Where, Who, can_heal, remedy_for


__all__ = ["REMEDIES", "Remedy", "Where", "Who", "can_heal", "remedy_for"]
