"""Objects of metadata as DHIS2 2.42.4 gives them, cut to what a test needs."""

from __future__ import annotations

from copy import deepcopy
from typing import Any


Fields = dict[str, Any]

SOMEBODY = {"id": "M5zQapPyTZI", "code": "admin", "name": "admin admin", "username": "admin"}

SET = {
    "code": "OS_SEX",
    "name": "Liste SEX",
    "created": "2026-11-24T12:06:22.472",
    "lastUpdated": "2026-11-24T12:06:24.205",
    "translations": [],
    "createdBy": SOMEBODY,
    "lastUpdatedBy": SOMEBODY,
    "sharing": {
        "owner": "M5zQapPyTZI",
        "external": False,
        "users": {},
        "userGroups": {},
        "public": "rw------",
    },
    "options": [{"id": "FGYUJQ5e1rA"}, {"id": "fYYf3ulYkiz"}],
    "valueType": "TEXT",
    "version": 1,
    "id": "AcCtZkAvAsC",
    "attributeValues": [],
}

PROGRAM = {
    "id": "xsd8pFBm2w1",
    "code": "HIV",
    "name": "VIH",
    "lastUpdated": "2026-11-24T12:06:24.357",
    "version": 1,
    "sharing": SET["sharing"],
    "programType": "WITH_REGISTRATION",
    "onlyEnrollOnce": False,
    "displayIncidentDate": True,
    "trackedEntityType": {"id": "Xzm8JdvcK5r"},
    "organisationUnits": [{"id": "hhZqjkb21gq"}, {"id": "Yw1kn99vHqp"}],
    "programTrackedEntityAttributes": [
        {
            "name": "VIH Nom",
            "id": "KsSG3WV6KqV",
            "access": {"read": True},
            "program": {"id": "xsd8pFBm2w1"},
            "trackedEntityAttribute": {"id": "XlaUz6AYQa9"},
            "sortOrder": 2,
            "valueType": "TEXT",
            "mandatory": True,
        },
        {
            "name": "VIH Prénom",
            "id": "fqkYqYUtpRf",
            "access": {"read": True},
            "program": {"id": "xsd8pFBm2w1"},
            "trackedEntityAttribute": {"id": "igrbHRNTbIn"},
            "sortOrder": 1,
            "valueType": "TEXT",
            "mandatory": False,
        },
    ],
}


def option_set(**fields: Any) -> Fields:
    return deepcopy(SET) | fields


def program(**fields: Any) -> Fields:
    return deepcopy(PROGRAM) | fields


def ids(*uids: str) -> list[Fields]:
    return [{"id": uid} for uid in uids]
