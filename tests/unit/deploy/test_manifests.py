"""The Kubernetes manifests say nothing that the code does not know."""

from __future__ import annotations

import copy
import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from types import ModuleType
from typing import Any

import pytest
import yaml

from api_service.listening import authenticates
from api_service.probe import SERVICE
from hrnn_tuner.broker.definitions import USERS
from hrnn_tuner.broker.topology import tasks_queue
from hrnn_tuner.settings import SECRETS_DIR_VARIABLE, Settings
from tests.support.stack import REPOSITORY

DEPLOY = REPOSITORY / "deploy"
SETTINGS = {f"HRNN_TUNER_{name.upper()}" for name in Settings.model_fields}
OVERLAYS = ("dev", "production")
POD_PATHS = {
    "Deployment": ("spec", "template"),
    "Job": ("spec", "template"),
    "ScaledJob": ("spec", "jobTargetRef", "template"),
}


class _ComposeLoader(yaml.SafeLoader):
    """Reads Compose's own tag for a list that replaces the one of another file."""


def _override(loader: _ComposeLoader, node: yaml.SequenceNode) -> list[Any]:
    return loader.construct_sequence(node)


_ComposeLoader.add_constructor("!override", _override)


@cache
def _check() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_manifests", DEPLOY / "kubernetes/check.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def _rendered(overlay: str) -> list[dict[str, Any]]:
    objects: list[dict[str, Any]] = _check().render(overlay)
    return objects


def _pods(objects: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and pod template of everything that makes pods of ours."""
    for item in objects:
        if item["kind"] in POD_PATHS:
            template = item
            for key in POD_PATHS[item["kind"]]:
                template = template[key]
            yield item["metadata"]["name"], template


def _containers(objects: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for _, template in _pods(objects):
        yield from template["spec"]["containers"]


def _compose() -> dict[str, Any]:
    """All services of all Compose files."""
    services: dict[str, Any] = {}
    for path in DEPLOY.glob("compose*.yaml"):
        for name, service in yaml.load(path.read_text(), _ComposeLoader)["services"].items():
            services[f"{path.name}:{name}"] = service
    return services


def _config(objects: list[dict[str, Any]]) -> dict[str, str]:
    (found,) = [item["data"] for item in objects if item["kind"] == "ConfigMap"]
    return dict(found)


def test_every_overlay_is_checked() -> None:
    assert _check().overlays() == list(OVERLAYS)


@pytest.mark.parametrize("overlay", OVERLAYS)
class TestOverlay:
    def test_satisfies_the_schemas(self, overlay: str) -> None:
        assert _check().violations(_rendered(overlay)) == []

    def test_a_wrong_type_or_an_unknown_field_is_found(self, overlay: str) -> None:
        objects = copy.deepcopy(_rendered(overlay))
        scheduler = next(
            o for o in objects if o["kind"] == "Deployment" and o["metadata"]["name"].endswith("scheduler")
        )
        scheduler["spec"]["replicas"] = "two"
        next(o for o in objects if o["kind"] == "Service")["spec"]["portz"] = []
        assert len(_check().violations(objects)) == 2

    def test_its_images_are_those_that_compose_builds(self, overlay: str) -> None:
        built = {service["image"].partition(":")[0] for service in _compose().values() if "build" in service}
        assert {container["image"].rpartition(":")[0] for container in _containers(_rendered(overlay))} <= built

    def test_its_settings_exist_and_each_value_is_allowed(self, overlay: str) -> None:
        objects = _rendered(overlay)
        values = _config(objects)
        for container in _containers(objects):
            for entry in container["env"]:
                assert entry["name"] in SETTINGS
                values[entry["name"]] = entry.get("value", "")
        assert set(values) <= SETTINGS
        Settings(**{name.removeprefix("HRNN_TUNER_").lower(): value for name, value in values.items()})  # type: ignore[arg-type]

    def test_its_ports_are_those_that_the_services_listen_on(self, overlay: str) -> None:
        objects = _rendered(overlay)
        metrics = int(_config(objects)["HRNN_TUNER_METRICS_LISTEN"].rpartition(":")[2])
        names: set[str] = set()
        for name, template in _pods(objects):
            for container in template["spec"]["containers"]:
                env = {entry["name"]: entry.get("value") for entry in container["env"]}
                ports = {port["name"]: port["containerPort"] for port in container.get("ports", [])}
                expected = {"metrics": metrics} if "migrate" not in name else {}
                if "HRNN_TUNER_LISTEN" in env:
                    expected["grpc"] = int(str(env["HRNN_TUNER_LISTEN"]).rpartition(":")[2])
                assert ports == expected
                if ports:
                    assert template["metadata"]["annotations"]["prometheus.io/port"] == str(metrics)
                for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
                    probe = container.get(kind, {})
                    if "grpc" in probe:
                        assert probe["grpc"]["port"] == ports["grpc"]
                        assert probe["grpc"].get("service", SERVICE) == SERVICE
                    if "httpGet" in probe:
                        assert probe["httpGet"]["port"] in ports
                        assert probe["httpGet"]["path"] in {"/livez", "/readyz"}
                names |= set(ports)
        (service,) = [item["spec"] for item in objects if item["kind"] == "Service"]
        assert {port["targetPort"] for port in service["ports"]} <= names
        listened = {50051, metrics, 5671, 5672, 5432, 53}
        policies = [item["spec"] for item in objects if item["kind"] == "NetworkPolicy"]
        rules = [rule for policy in policies for rule in (*policy.get("ingress", ()), *policy.get("egress", ()))]
        assert {port["port"] for rule in rules for port in rule["ports"]} == listened

    def test_its_commands_start_modules_that_exist(self, overlay: str) -> None:
        for container in _containers(_rendered(overlay)):
            command = container.get("command", container.get("args"))
            if command is not None:
                assert command[:2] == ["python", "-m"]
                assert importlib.util.find_spec(command[2]) is not None

    def test_every_pod_is_hardened_and_under_the_network_policies(self, overlay: str) -> None:
        for name, template in _pods(_rendered(overlay)):
            labels = template["metadata"]["labels"]
            assert labels["app.kubernetes.io/part-of"] == "hrnn-tuner"
            assert labels["app.kubernetes.io/name"] == name
            security = template["spec"]["securityContext"]
            assert security["runAsNonRoot"] is True
            assert security["seccompProfile"] == {"type": "RuntimeDefault"}
            assert template["spec"]["automountServiceAccountToken"] is False
            for container in template["spec"]["containers"]:
                own = container["securityContext"]
                assert own["readOnlyRootFilesystem"] is True
                assert own["allowPrivilegeEscalation"] is False
                assert own["capabilities"] == {"drop": ["ALL"]}
                assert container["resources"]["requests"]

    def test_the_worker_is_given_no_database(self, overlay: str) -> None:
        (worker,) = [c for c in _containers(_rendered(overlay)) if c["name"] == "worker"]
        assert {entry["name"] for entry in worker["env"]} == {"HRNN_TUNER_BROKER_URL"}


def test_the_scaled_job_runs_one_task_of_a_queue_that_exists() -> None:
    (scaled,) = [item["spec"] for item in _rendered("production") if item["kind"] == "ScaledJob"]
    (trigger,) = scaled["triggers"]
    assert trigger["metadata"]["queueName"] == tasks_queue(Settings().worker_resource_class)
    (container,) = scaled["jobTargetRef"]["template"]["spec"]["containers"]
    command = [sys.executable, *container["args"][1:], "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=REPOSITORY)
    assert container["args"][-1] in done.stdout


def test_rabbitmq_lets_each_service_do_what_its_user_needs_and_each_pod_is_that_user() -> None:
    text = (DEPLOY / "kubernetes/dependencies/rabbitmq-users.yaml").read_text()
    objects = list(yaml.safe_load_all(text))
    permissions = {item["metadata"]["name"]: item["spec"]["permissions"] for item in objects if "vhost" in item["spec"]}
    assert permissions == {
        user.name: {"configure": user.configure, "write": user.write, "read": user.read} for user in USERS
    }
    secrets = {
        item["metadata"]["name"]: item["spec"]["importCredentialsSecret"]["name"]
        for item in objects
        if item["kind"] == "User"
    }
    for overlay in OVERLAYS:
        for name, template in _pods(_rendered(overlay)):
            variables = template["spec"]["containers"][0].get("env", [])
            keys = [item["valueFrom"]["secretKeyRef"] for item in variables if item["name"] == "HRNN_TUNER_BROKER_URL"]
            service = name.removeprefix("hrnn-tuner-")
            assert keys == ([{"name": secrets[f"hrnn-{service}"], "key": "url"}] if service != "migrate" else []), name


def test_the_settings_of_the_compose_files_exist() -> None:
    given = {
        name
        for service in _compose().values()
        for name in service.get("environment", {})
        if name.startswith("HRNN_TUNER_")
    }
    assert {"HRNN_TUNER_METRICS_LISTEN", "HRNN_TUNER_LISTEN"} <= given
    assert given <= SETTINGS | {SECRETS_DIR_VARIABLE}


def _api_settings(environment: dict[str, str]) -> Settings:
    values = {name.removeprefix("HRNN_TUNER_").lower(): value for name, value in environment.items()}
    return Settings(**{name: value for name, value in values.items() if name in Settings.model_fields})  # type: ignore[arg-type]


def test_compose_lets_everybody_in_on_this_host_only() -> None:
    api = _compose()["compose.yaml:api"]
    settings = _api_settings(api["environment"])
    assert (settings.allow_plaintext, authenticates(settings)) == (True, False)
    assert all(port.startswith("127.0.0.1:") for port in api["ports"])


def test_what_opens_the_api_to_others_has_tls_and_asks_for_tokens() -> None:
    opened = _compose()["compose.yaml:api"]["environment"] | _compose()["compose.tls.yaml:api"]["environment"]
    config = _config(_rendered("production"))
    (container,) = [item for item in _containers(_rendered("production")) if item["name"] == "api"]
    config |= {entry["name"]: entry.get("value", "") for entry in container["env"]}
    for settings in (_api_settings(opened), _api_settings(config)):
        assert settings.tls_cert is not None
        assert (settings.allow_plaintext, authenticates(settings)) == (False, True)
