"""The services as real processes, for end-to-end tests and benchmarks."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from hrnn_tuner.client import TuningClient
from hrnn_tuner.store.migrate import migrate
from tests.support.ports import free_port
from tests.support.waiting import wait_until

REPOSITORY = Path(__file__).parents[2]
SYNTHETIC = "tests.support.synthetic_algorithm:ALGORITHM"
#: Of workers that start in no time: they import no algorithm before a training job needs it.
COLD = {"WORKER_WARM_UP": "false", "WORKER_DEVICES": "cpu"}
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 30.0


class Service:
    """One service process; its output goes to a file."""

    def __init__(self, module: str, environment: dict[str, str], log: Path) -> None:
        self.module = module
        self._environment = environment
        self._log = log
        self.process = self._spawn({})

    def _spawn(self, settings: Mapping[str, str]) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as output:
            return subprocess.Popen(
                [sys.executable, "-m", self.module],
                env={**self._environment, **settings},
                cwd=REPOSITORY,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def log(self) -> str:
        """Everything it printed."""
        return self._log.read_text(errors="replace")

    def kill(self) -> None:
        """SIGKILL, as the kernel does it."""
        self.process.kill()
        self.process.wait(STOP_TIMEOUT_S)

    def restart(self, settings: Mapping[str, str] | None = None) -> None:
        """Starts it again after its end, with further environment variables for this once."""
        self.process = self._spawn(settings or {})

    def stop(self) -> int:
        """SIGTERM; returns the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.module} did not stop:\n{self.log[-4000:]}") from None


class Stack:
    """API, schedulers and workers on one database and one broker.

    Args:
        folder: For artifacts, caches and logs.
        database_url: An empty or migrated database.
        broker_url: A RabbitMQ virtual host of its own.
        workers: Number of worker processes.
        slots: Slots of each.
        schedulers: Number of scheduler processes.
        settings: Further ``HRNN_TUNER_`` settings, without the prefix.
        broker_urls: Other broker URLs of the modules named.
    """

    def __init__(
        self,
        folder: Path,
        *,
        database_url: str,
        broker_url: str,
        workers: int = 1,
        slots: int = 2,
        schedulers: int = 1,
        settings: dict[str, str] | None = None,
        broker_urls: Mapping[str, str] | None = None,
    ) -> None:
        migrate(database_url)
        self.broker_url = broker_url
        self.address = f"127.0.0.1:{free_port()}"
        self.artifacts = folder / "artifacts"
        self.artifacts.mkdir(parents=True, exist_ok=True)
        values = {
            "DATABASE_URL": database_url,
            "BROKER_URL": broker_url,
            "LISTEN": self.address,
            "ARTIFACTS_URL": str(self.artifacts),
            "DATA_PREFIXES": str(folder),
            "ALGORITHMS": SYNTHETIC,
            "CACHE_DIR": str(folder / "cache"),
            "WORKER_SLOTS": str(slots),
        } | (settings or {})
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("HRNN_TUNER_")}
        environment = {**inherited, **{f"HRNN_TUNER_{name}": value for name, value in values.items()}}
        environment["PYTHONPATH"] = str(REPOSITORY)

        self._environment = environment
        self._broker_urls = broker_urls or {}
        self._folder = folder
        self.api = self.start("api_service", "api")
        self.schedulers = [self.start("scheduler_service", f"scheduler-{index}") for index in range(schedulers)]
        self.workers = [self.start("worker_service", f"worker-{index}") for index in range(workers)]
        self.client = TuningClient(self.address)

    def start(self, module: str, name: str, **settings: str) -> Service:
        """Starts a process with the settings of all, and ``HRNN_TUNER_`` settings of its own without the prefix."""
        own = {f"HRNN_TUNER_{key}": value for key, value in settings.items()}
        if module in self._broker_urls:
            own["HRNN_TUNER_BROKER_URL"] = self._broker_urls[module]
        return Service(module, self._environment | own, self._folder / f"{name}.log")

    @property
    def services(self) -> list[Service]:
        """All processes."""
        return [self.api, *self.schedulers, *self.workers]

    def wait_ready(self) -> None:
        """Waits until the API answers."""

        def answers() -> bool:
            for service in self.services:
                if service.process.poll() is not None:
                    raise AssertionError(f"{service.module} ended:\n{service.log[-4000:]}")
            try:
                with socket.create_connection(tuple(self.address.split(":")), timeout=1):  # type: ignore[arg-type]
                    return True
            except OSError:
                return False

        wait_until(answers, START_TIMEOUT_S, "the API to listen")
        self.client.list_algorithms()

    def stop(self) -> None:
        """Stops everything in order; every process must end with status 0."""
        self.client.close()
        statuses = {service.module: service.stop() for service in [*self.workers, *self.schedulers, self.api]}
        assert set(statuses.values()) == {0}, statuses

    def __enter__(self) -> Self:
        try:
            self.wait_ready()
        except BaseException:
            for service in self.services:
                service.process.kill()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.stop()
            return
        self.client.close()
        for service in self.services:
            service.process.kill()
            sys.stderr.write(f"--- {service.module}\n{service.log[-3000:]}\n")
