"""Is docker-compose.yaml fit to hold patient data, and does it agree with the rest?"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml


ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yaml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
AIRFLOW = {name: service for name, service in SERVICES.items() if "build" in service}
ONE_SHOT = "init"
RUNS_TASKS = "scheduler"  # LocalExecutor: tasks are its children
TOP_LEVEL = {"name", "services", "networks", "volumes", "configs", "secrets"}
SECRETS = {"POSTGRES_PASSWORD", "FERNET_KEY", "API_SECRET_KEY", "JWT_SECRET", "ADMIN_PASSWORD"}
SECRET = re.compile(r"PASSWORD|SECRET|KEY|TOKEN")
VARIABLE = re.compile(r"(?<!\$)\$\{(?P<name>\w+)(?P<rule>[^}]*)\}")
PASSWORD_IN_URL = re.compile(r"://[^:/@\s]+:(?P<password>.+?)@")


def mounts(service: dict[str, Any]) -> dict[str, tuple[str, bool]]:
    """Return, by path in the container, what is mounted and whether read-only."""
    found = {}
    for mount in service["volumes"]:
        source, target, *mode = mount.split(":")
        found[target] = (source, mode == ["ro"])
    return found


def test_the_file_has_only_top_level_keys_that_compose_knows() -> None:
    keys = {key for key in COMPOSE if not key.startswith("x-")}

    assert {"services", "volumes"} <= keys
    assert keys <= TOP_LEVEL


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_rotates_its_logs_and_is_healthy_or_runs_once(name: str) -> None:
    service = SERVICES[name]

    assert service["logging"]["options"].keys() == {"max-size", "max-file"}
    if name == ONE_SHOT:
        assert service["restart"] == "no"
    else:
        assert service["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
        assert service["restart"] == "unless-stopped"


def test_ports_are_open_to_this_machine_alone() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]

    assert ports
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_no_secret_has_a_default() -> None:
    secrets = [found for found in VARIABLE.finditer(TEXT) if SECRET.search(found["name"])]

    assert {found["name"] for found in secrets} == SECRETS
    for found in secrets:
        assert re.fullmatch(r":\?set \w+ in .+", found["rule"]), found["name"]


def test_no_secret_is_written_into_the_file() -> None:
    settings = [pair for service in SERVICES.values() for pair in service["environment"].items()]
    secrets = {key: value for key, value in settings if SECRET.search(key)}
    passwords = [found["password"] for found in PASSWORD_IN_URL.finditer(TEXT)]

    assert secrets
    assert passwords
    for value in [*secrets.values(), *passwords]:
        assert VARIABLE.fullmatch(value)


def test_the_installation_guide_explains_every_variable() -> None:
    guide = (ROOT / "docs" / "installation.md").read_text()
    variables = {found["name"] for found in VARIABLE.finditer(TEXT)}
    passed_on = {key for key, value in COMPOSE["x-environment"].items() if value is None}

    assert variables
    assert passed_on
    assert {name for name in variables | passed_on if f"{name}=" not in guide} == set()


def test_all_airflow_services_share_one_environment() -> None:
    shared = COMPOSE["x-environment"]

    environments = {name: dict(service["environment"]) for name, service in AIRFLOW.items()}
    environments[ONE_SHOT].pop("ADMIN_PASSWORD")

    assert set(AIRFLOW) == {"init", "api-server", "scheduler", "dag-processor", "triggerer"}
    assert [name for name, own in environments.items() if own != shared] == []


@pytest.mark.parametrize("name", AIRFLOW)
def test_the_code_is_mounted_read_only_and_include_alone_is_importable(name: str) -> None:
    service = AIRFLOW[name]

    for folder in ("dags", "plugins", "include"):
        assert (ROOT / folder).is_dir()
        assert mounts(service)[f"/opt/airflow/{folder}"] == (f"./{folder}", True)
    assert service["environment"]["PYTHONPATH"] == "/opt/airflow/include"


def test_staging_is_a_volume_where_tasks_run_and_nowhere_else() -> None:
    staging = COMPOSE["x-environment"]["TRACKER_SYNC_STAGING"]

    holders = [name for name, service in AIRFLOW.items() if staging in mounts(service)]

    assert COMPOSE["x-environment"]["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"
    assert holders == [RUNS_TASKS]
    assert mounts(AIRFLOW[RUNS_TASKS])[staging] == ("staging", False)
    assert "staging" in COMPOSE["volumes"]


def test_the_image_is_the_airflow_that_the_requirements_pin() -> None:
    requirements = (ROOT / "requirements.in").read_text()
    (pinned,) = re.findall(r"\bapache-airflow==(\S+)", requirements)

    for service in AIRFLOW.values():
        recipe = service["build"]["dockerfile_inline"]
        assert recipe.startswith(f"FROM apache/airflow:slim-{pinned}-python3.11\n")
        assert service["image"] == f"tracker-sync:airflow-{pinned}"


def test_nothing_of_airflow_starts_before_the_database_is_migrated() -> None:
    waiting = {name: service["depends_on"] for name, service in AIRFLOW.items()}

    assert waiting.pop(ONE_SHOT) == {"postgres": {"condition": "service_healthy"}}
    assert waiting
    for conditions in waiting.values():
        assert conditions[ONE_SHOT] == {"condition": "service_completed_successfully"}


def test_both_servers_have_a_pool_that_parallelism_can_fill() -> None:
    script = SERVICES[ONE_SHOT]["command"][-1]
    (loop,) = re.findall(r"for connection in (.+); do", script)
    (slots,) = re.findall(r'pools set "\$\$connection" (\d+)', script)
    parallelism = int(COMPOSE["x-environment"]["AIRFLOW__CORE__PARALLELISM"])

    assert {f"AIRFLOW_CONN_{name.upper()}" for name in loop.split()} == {
        key for key in COMPOSE["x-environment"] if key.startswith("AIRFLOW_CONN_")
    }
    assert 1 <= int(slots) <= parallelism <= 16
