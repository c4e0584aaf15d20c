"""Alert rules and dashboard use only metrics and labels' values that the services have."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from prometheus_client import REGISTRY

import hrnn_tuner.telemetry.api_metrics
import hrnn_tuner.telemetry.scheduler_metrics
import hrnn_tuner.telemetry.worker_metrics  # noqa: F401 - importing these registers the metrics
from hrnn_tuner.broker.connect import open_broker
from hrnn_tuner.broker.memory import InMemoryHub
from hrnn_tuner.broker.topology import build_topology
from hrnn_tuner.settings import Settings
from hrnn_tuner.store import Store
from hrnn_tuner.store.migrate import migrate
from scheduler_service.census import Census
from tests.support.stack import REPOSITORY
from worker_service.gpu_memory import GpuMemory

FOLDER = REPOSITORY / "deploy/observability"
NAME = re.compile(r"hrnn_tuner_[a-z_]+")


def _smi(folder: Path, *, status: int = 0) -> str:
    """A program that answers as nvidia-smi does on a machine with two GPUs."""
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\necho '0, 1024, 143771'\necho '1, 0, 143771'\nexit {status}\n")
    program.chmod(0o755)
    return str(program)


def _census(folder: Path) -> Census:
    url = f"sqlite:///{folder / 'census.db'}"
    migrate(url)
    settings = Settings(database_url=url, broker_url="memory://")
    hub = InMemoryHub(build_topology(settings.resource_classes))
    broker = open_broker("memory://", name="census", resource_classes=settings.resource_classes, hub=hub)
    return Census(Store(url), broker, settings=settings)


def _served(folder: Path) -> set[str]:
    """Every name that a scrape may have."""
    families = [*REGISTRY.collect(), *_census(folder).collect(), *GpuMemory(_smi(folder)).collect()]
    names: set[str] = set()
    for family in families:
        suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}.get(family.type, [""])
        names |= {family.name + suffix for suffix in suffixes}
    return names


def _expressions() -> list[str]:
    rules = yaml.safe_load((FOLDER / "alerts.yaml").read_text())
    alerts = [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    dashboard = json.loads((FOLDER / "grafana/dashboards/hrnn-tuner.json").read_text())
    return [*alerts, *(target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", []))]


def test_alerts_and_dashboard_ask_for_metrics_that_exist(tmp_path: Path) -> None:
    asked = {name for expression in _expressions() for name in NAME.findall(expression)}
    assert len(asked) > 15
    assert asked <= _served(tmp_path)


def test_the_census_of_an_empty_service_counts_nothing(tmp_path: Path) -> None:
    values = {
        (sample.name, *sample.labels.values()): sample.value
        for family in _census(tmp_path).collect()
        for sample in family.samples
    }
    assert values["hrnn_tuner_tuning_jobs", "IN_PROGRESS"] == 0
    assert values["hrnn_tuner_outbox_oldest_seconds",] == 0
    assert values["hrnn_tuner_queue_messages_ready", "hrnn.tasks.v1.default"] == 0


def test_gpu_memory_is_told_in_bytes(tmp_path: Path) -> None:
    used, total = GpuMemory(_smi(tmp_path)).collect()
    assert [(sample.labels["gpu"], sample.value) for sample in used.samples] == [("0", 2**30), ("1", 0)]
    assert {sample.value for sample in total.samples} == {143771 * 2**20}


def test_a_driver_that_fails_leaves_gpu_memory_out(tmp_path: Path) -> None:
    assert list(GpuMemory(_smi(tmp_path, status=9)).collect()) == []
    assert list(GpuMemory(str(tmp_path / "absent")).collect()) == []


@pytest.mark.parametrize("command", [["check", "rules", "alerts.yaml"], ["check", "config", "prometheus.yaml"]])
def test_promtool_accepts_the_files(command: list[str]) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        if os.environ.get("CI"):
            pytest.fail("promtool is not installed: run make services")
        pytest.skip("promtool is not installed: Debian's package prometheus has it")
    done = subprocess.run([promtool, *command], cwd=FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
