"""How does a tracker import report what became of each object?"""

from collections.abc import Mapping, Sequence

from dhis2_sandbox.imports.kinds import Kind
from dhis2_sandbox.imports.payload import Bundle
from dhis2_sandbox.imports.validation import Judgement
from dhis2_sandbox.metadata.store import Members


_ORDER = (Kind.EVENT, Kind.ENTITY, Kind.ENROLLMENT, Kind.RELATIONSHIP)
_COUNTS = ("created", "updated", "deleted", "ignored", "total")


def committed(
    judgement: Judgement,
    outcomes: Mapping[Kind, Sequence[tuple[str, str]]],
    sizes: Mapping[Kind, int],
) -> Members:
    """Return the report of a request that was carried out.

    Args:
        judgement: what was found.
        outcomes: per kind, what happened to which UID, e.g. ("created", "dpmvCNVPneU").
        sizes: how many objects of each kind were sent.
    """
    reports = {kind: _type_report(kind, outcomes[kind], sizes[kind]) for kind in _ORDER}
    stats = {name: sum(report["stats"][name] for report in reports.values()) for name in _COUNTS}
    return _report("OK", judgement, stats) | {"bundleReport": {"typeReportMap": reports}}


def validated(judgement: Judgement) -> Members:
    """Return the report of a request that was only validated: it counts nothing but refusals."""
    refused = len({(found.kind, found.uid) for found in judgement.refusals})
    return _report("OK", judgement, _ignored(refused)) | {"bundleReport": {"typeReportMap": {}}}


def blocked(judgement: Judgement, bundle: Bundle) -> Members:
    """Return the report of a request that one refusal kept from being carried out at all."""
    return _report("ERROR", judgement, _ignored(sum(1 for _ in bundle.everything())))


def failed(message: str) -> Members:
    """Return the report of a request that the database refused, until 2.40 (recordings: 372)."""
    return {
        "status": "ERROR",
        "validationReport": {"errorReports": [], "warningReports": []},
        "message": f"Exception:{message}",
    }


def before_41(report: Members, *, with_timings: bool) -> Members:
    """Return the report as it was until 2.40: with timings and positions, without arguments."""
    validation = report["validationReport"]
    errors = [
        {name: value for name, value in found.items() if name != "args"}
        for found in validation["errorReports"]
    ]
    for kind in (report.get("bundleReport") or {"typeReportMap": {}})["typeReportMap"].values():
        for index, item in enumerate(kind["objectReports"]):
            item["index"] = index
    timings = dict.fromkeys(("preheat", "validation", "programRule", "commit"), "0.0 sec.")
    changed = {"validationReport": validation | {"errorReports": errors}}
    return report | changed | ({"timingsStats": timings} if with_timings else {})


def without_warnings(report: Members) -> Members:
    """Return the report as reportMode ERRORS shows it."""
    validation = report["validationReport"]
    return report | {"validationReport": validation | {"warningReports": []}}


def _report(status: str, judgement: Judgement, stats: Members) -> Members:
    return {
        "status": status,
        "validationReport": {
            "errorReports": [found.as_report() for found in judgement.findings if found.refuses],
            "warningReports": [
                found.as_report() for found in judgement.findings if not found.refuses
            ],
        },
        "stats": stats,
    }


def _ignored(count: int) -> Members:
    return dict.fromkeys(_COUNTS, 0) | {"ignored": count, "total": count}


def _type_report(kind: Kind, outcomes: Sequence[tuple[str, str]], size: int) -> Members:
    stats = dict.fromkeys(_COUNTS, 0) | {"ignored": size - len(outcomes), "total": size}
    for outcome, _ in outcomes:
        stats[outcome] += 1
    return {
        "trackerType": kind,
        "stats": stats,
        "objectReports": [
            {"trackerType": kind, "uid": uid, "errorReports": []} for _, uid in outcomes
        ],
    }
