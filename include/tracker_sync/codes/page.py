"""The page of the codes: the whole table as people read it, in two languages."""

from __future__ import annotations

from tracker_sync.codes.table import REMEDIES, Remedy


_HEAD = """\
# Codes

What each code means, who mends it and how. `report.json` says the same of every refusal, \
and so does the log of `settle`. Codes that begin with E are DHIS2's, those with `SYNC_` are \
tracker-sync's own; a code without a row is treated as `UNKNOWN`.

*Heals: yes* means that it may be accepted later as it is: every run sends it again. *No*: it \
is sent again when its content, the metadata of a server or the route's `mapping` changed. Who: \
`operator` runs tracker-sync, `source_admin` and `destination_admin` look after a server, \
`data_entry` after the records, `nobody` has to act. DHIS2: the releases that have the code.

**En français.** *Heals: yes* : l'objet peut être accepté plus tard tel quel, chaque exécution \
le renvoie. *No* : il est renvoyé quand son contenu, les métadonnées d'un serveur ou la clé \
`mapping` de la route ont changé. Qui agit : `operator` l'exploitant de tracker-sync, \
`source_admin` et `destination_admin` l'administrateur d'un serveur, `data_entry` la personne \
qui tient les fiches, `nobody` personne.

This page is written by `PYTHONPATH=include python -m tracker_sync.codes > docs/codes.md` from \
`include/tracker_sync/codes/codes.csv`; words are changed there.

## Every code

| Code | Class | DHIS2 | Heals | Who | In English | En français |
| --- | --- | --- | --- | --- | --- | --- |
"""


def page() -> str:
    """Return `docs/codes.md`."""
    return _HEAD + "".join(map(_row, REMEDIES.values()))


def _row(remedy: Remedy) -> str:
    heals = "yes" if remedy.heals else "no"
    english = f"{remedy.meaning_en}. **Do:** {remedy.do_en}"
    french = f"{remedy.meaning_fr}. **Faire :** {remedy.do_fr}"
    cells = (f"`{remedy.code}`", remedy.kind, remedy.versions, heals, f"`{remedy.who}`")
    return f"| {' | '.join((*cells, english, french))} |\n"
