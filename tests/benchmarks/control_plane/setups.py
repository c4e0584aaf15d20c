"""The control plane as users run it, with a simulated fleet: separate services, and everything in one process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from hrnn_tuner.client import TuningClient
from tests.benchmarks.control_plane.algorithm import LOCATION
from tests.benchmarks.control_plane.fleet import Behaviour, Record
from tests.support.postgres import PrivatePostgres
from tests.support.rabbitmq import new_node
from tests.support.rabbitmq_node import RabbitMqNode
from tests.support.stack import REPOSITORY, Stack

SLOTS = 200
_SETTINGS = {
    "ALGORITHMS": LOCATION,
    "MAX_PARALLEL_LIMIT": "1000",
    "LOG_LEVEL": "WARNING",
}
_STOP_TIMEOUT_S = 20


class FleetProcess:
    """The process of a simulated fleet."""

    def __init__(self, *arguments: str, slots: int = SLOTS) -> None:
        """Starts it; returns when its slots are announced."""
        environment = {**os.environ, **{f"HRNN_TUNER_{name}": value for name, value in _SETTINGS.items()}}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.control_plane.fleet_process", f"--slots={slots}", *arguments],
            env=environment,
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.pid = self._process.pid
        self.address: str = self._answer()["address"]

    def behave(self, behaviour: Behaviour) -> Record:
        """Changes what trainings do from now on; returns what happened since the last call."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asdict(behaviour)) + "\n")
        self._process.stdin.flush()
        return Record(**self._answer())

    def stop(self) -> None:
        """Ends it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _answer(self) -> Mapping[str, Any]:
        """The next line of its output."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the fleet ended with status {self._process.wait()}")
        answer: Mapping[str, Any] = json.loads(line)
        return answer


@dataclass(frozen=True)
class ControlPlane:
    """A running control plane.

    Attributes:
        client: Of its API.
        address: The API's.
        database_url: Its database.
        fleet: Its workers.
        pids: Processes of its services by name; in one process that of the fleet, which is the same.
        others: Processes beside them by name: servers and the fleet.
    """

    client: TuningClient
    address: str
    database_url: str
    fleet: FleetProcess
    pids: Mapping[str, int]
    others: Mapping[str, int] = field(default_factory=dict)


@contextmanager
def servers(folder: Path) -> Iterator[tuple[PrivatePostgres, RabbitMqNode]]:
    """A PostgreSQL and a RabbitMQ server of the benchmark's own."""
    postgres = PrivatePostgres()
    node_folder = folder / "rabbitmq"
    node_folder.mkdir()
    rabbitmq = new_node(node_folder)
    try:
        postgres.start()
        rabbitmq.start()
        yield postgres, rabbitmq
    finally:
        rabbitmq.stop()
        postgres.close()


@contextmanager
def separate(slots: int = SLOTS) -> Iterator[ControlPlane]:
    """API and scheduler as processes on PostgreSQL and RabbitMQ."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        postgres, rabbitmq = stack.enter_context(servers(folder))
        broker_url = rabbitmq.add_vhost("bench")
        services = stack.enter_context(
            Stack(folder, database_url=postgres.url, broker_url=broker_url, workers=0, settings=_SETTINGS)
        )
        fleet = FleetProcess("--broker-url", broker_url, slots=slots)
        stack.callback(fleet.stop)
        pids = {"API": services.api.process.pid, "scheduler": services.schedulers[0].process.pid}
        others = {"PostgreSQL": postgres.pid, "RabbitMQ": rabbitmq.pid, "fleet": fleet.pid}
        yield ControlPlane(services.client, services.address, postgres.url, fleet, pids, others)


@contextmanager
def embedded(slots: int = SLOTS) -> Iterator[ControlPlane]:
    """API, scheduler and fleet in one process with SQLite and the in-memory broker."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        fleet = FleetProcess("--embedded", str(folder), slots=slots)
        stack.callback(fleet.stop)
        client = stack.enter_context(TuningClient(fleet.address))
        url = f"sqlite:///{folder / 'hrnn-tuner.db'}"
        yield ControlPlane(client, fleet.address, url, fleet, {"all": fleet.pid})


SETUPS: Mapping[str, Callable[[], AbstractContextManager[ControlPlane]]] = {
    "PostgreSQL + RabbitMQ": separate,
    "embedded": embedded,
}
