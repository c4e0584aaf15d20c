"""The processes under test: two APIs, two schedulers, three workers, each behind network links of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from hrnn_tuner.broker.topology import build_topology
from hrnn_tuner.failpoints import VARIABLE
from hrnn_tuner.store.migrate import migrate
from scheduler_service.early_stopping import MedianActivation
from tests.chaos.proxy import Proxies, Proxy
from tests.chaos.schedule import APIS, BROKER, DATABASE, PROCESSES, SCHEDULERS
from tests.support.ports import free_port
from tests.support.postgres import PrivatePostgres
from tests.support.processes import resident_mib
from tests.support.rabbitmq_node import RabbitMqNode
from tests.support.stack import COLD, REPOSITORY, SYNTHETIC, Service

VHOST = "chaos"
#: Worker classes: two workers whose trainers never import torch and start quickly, and one with the real algorithms.
FAKE_CLASS, REAL_CLASS = "default", "torch"
REAL_WORKER = "worker-2"
HEARTBEAT_S = 0.5
LEASE_TTL_S = 6.0
#: High enough that no training job fails for being lost often: every one must end with its result.
MAX_ATTEMPTS = 1000
#: Low enough that short training jobs in small tuning jobs are stopped early, too.
ACTIVATION = MedianActivation(min_epoch=1, min_training_jobs=2)
ACTIVATION_SETTINGS = {
    "EARLY_STOPPING_MIN_EPOCH": str(ACTIVATION.min_epoch),
    "EARLY_STOPPING_MIN_TRAINING_JOBS": str(ACTIVATION.min_training_jobs),
}


class Cluster:
    """Everything that runs. Faults are made on it; it keeps no account of them.

    Args:
        folder: For data, logs and artifacts.
        node: A broker of the cluster's own.
        postgres: A database server of the cluster's own, without the schema.
    """

    def __init__(self, folder: Path, node: RabbitMqNode, postgres: PrivatePostgres) -> None:
        self.folder = folder
        self.node = node
        self.postgres = postgres
        self.artifacts = folder / "artifacts"
        self.addresses = {name: f"127.0.0.1:{free_port()}" for name in APIS}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with self._stack as stack:
            self.artifacts.mkdir()
            self.proxies = stack.enter_context(Proxies())
            self.broker_url = self.node.add_vhost(VHOST)
            self.database_url = self.postgres.url
            migrate(self.database_url)
            ports = {BROKER: self.node.port, DATABASE: urlsplit(self.database_url).port or 0}
            self.links: dict[str, dict[str, Proxy]] = {
                name: {end: self.proxies.add(port) for end, port in ports.items()} for name in PROCESSES
            }
            self.services = {name: self._service(name) for name in PROCESSES}
            stack.callback(self._kill_all)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def log(self, name: str) -> Path:
        """The log of a process, over all its lives."""
        return self.folder / f"{name}.log"

    def restart(self, name: str, failpoint: str = "") -> None:
        """Starts a process that has ended."""
        self.services[name].restart({VARIABLE: failpoint})

    def signal(self, name: str, number: signal.Signals) -> None:
        """Sends a process a signal, if it runs."""
        with contextlib.suppress(ProcessLookupError):
            self.services[name].process.send_signal(number)

    def resident_mib(self, name: str) -> float | None:
        """How much memory a process has; None while it does not run."""
        try:
            return resident_mib(self.services[name].process.pid)
        except OSError:
            return None

    def children(self, name: str) -> list[int]:
        """The trainer processes of a worker, or the process in which a scheduler asks models."""
        pid = self.services[name].process.pid
        try:
            text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
            others = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
        except OSError:
            return []
        return sorted({int(child) for children in [text, *others] for child in children.split()})

    def wipe(self, depth: str) -> None:
        """Loses what the broker has: the queues, or everything with the connections."""
        if depth == "everything":
            self.node.remove_vhost(VHOST)
            self.node.add_vhost(VHOST)
            return
        for queue in build_topology([FAKE_CLASS, REAL_CLASS]).queues:
            self.node.request("DELETE", f"/api/queues/{VHOST}/{queue.name}")

    def stop(self) -> dict[str, int]:
        """Ends all processes at once; returns their exit statuses."""
        with ThreadPoolExecutor(len(self.services)) as pool:
            return dict(zip(self.services, pool.map(Service.stop, self.services.values()), strict=True))

    def _kill_all(self) -> None:
        for service in self.services.values():
            with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
                service.kill()

    def _service(self, name: str) -> Service:
        module = f"{name.partition('-')[0]}_service"
        return Service(module, self._environment(name), self.log(name))

    def _environment(self, name: str) -> dict[str, str]:
        links = self.links[name]
        values = {
            "DATABASE_URL": self._through(self.database_url, links[DATABASE]),
            "BROKER_URL": self._through(self.broker_url, links[BROKER]),
            "ARTIFACTS_URL": str(self.artifacts),
            "DATA_PREFIXES": str(self.folder),
            "ALGORITHMS": SYNTHETIC,
            "CACHE_DIR": str(self.folder / "cache"),
            "RESOURCE_CLASSES": f"{FAKE_CLASS},{REAL_CLASS}",
            "LOG_FORMAT": "json",
            "HEARTBEAT_INTERVAL_S": str(HEARTBEAT_S),
            "LEASE_TTL_S": str(LEASE_TTL_S),
            "CONTROL_RESEND_S": "2",
            "MAX_ATTEMPTS": str(MAX_ATTEMPTS),
            "WORKER_DEVICES": "cpu",
            "WORKER_STOP_GRACE_S": "2",
            **ACTIVATION_SETTINGS,
        }
        if name in self.addresses:
            values["LISTEN"] = self.addresses[name]
        elif name == REAL_WORKER:
            values |= {"WORKER_SLOTS": "1", "WORKER_RESOURCE_CLASS": REAL_CLASS}
        elif name not in SCHEDULERS:
            values |= COLD | {"WORKER_SLOTS": "2", "WORKER_RESOURCE_CLASS": FAKE_CLASS}
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("HRNN_TUNER_")}
        return {
            **inherited,
            **{f"HRNN_TUNER_{key}": value for key, value in values.items()},
            "PYTHONPATH": str(REPOSITORY),
        }

    def _through(self, url: str, proxy: Proxy) -> str:
        """The URL with the proxy's port in place of the server's."""
        return url.replace(f":{urlsplit(url).port}", f":{proxy.port}")
