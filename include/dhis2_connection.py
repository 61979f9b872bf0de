"""The connection type `dhis2`: its form in Airflow's UI, as plain data.

Airflow finds it by the entry point in the `.dist-info` folder beside this file,
and reads the form without importing the hook (airflow 5).
"""

from __future__ import annotations

from typing import Any


_TEXT = {"type": ["string", "null"]}
_FIELDS: dict[str, Any] = {
    "token": {
        "label": "Personal access token",
        "description": "Better than a password: it costs the server less, can be "
        "limited and taken back. In DHIS2: Edit profile, Personal access tokens.",
        "schema": {**_TEXT, "format": "password"},
    },
    "ca_file": {
        "label": "CA file",
        "description": "Authorities to trust, where the server's certificate is "
        "not signed by a public one: a path that every worker has.",
        "schema": _TEXT,
    },
    "patience": {
        "label": "Patience",
        "description": "How many seconds a request is sent again for, where the "
        "server is away or overloaded, before the task fails and is tried anew: "
        "120 if empty.",
        "schema": {"type": ["number", "null"], "minimum": 0},
    },
}


def provider_info() -> dict[str, Any]:
    """Return what Airflow asks of a provider: one connection type with its form."""
    return {
        "package-name": "dhis2-airflow-provider",
        "name": "DHIS2",
        "description": "Connections to DHIS2 servers, for tracker-sync.",
        "connection-types": [
            {
                "connection-type": "dhis2",
                "hook-name": "DHIS2",
                "hook-class-name": "dhis2_airflow.hook.Dhis2Hook",
                "ui-field-behaviour": {
                    "hidden-fields": ["schema", "port"],
                    "relabeling": {"host": "Address", "login": "User", "password": "Password"},
                    "placeholders": {
                        "host": "https://dhis2.example.org/north",
                        "login": "empty with a token",
                        "password": "empty with a token",
                    },
                },
                "conn-fields": _FIELDS,
            }
        ],
    }
