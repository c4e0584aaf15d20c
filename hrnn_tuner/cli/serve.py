"""The composition root: all three services in one process, on SQLite and the in-memory broker.

The settings ``HRNN_TUNER_DATABASE_URL`` and ``HRNN_TUNER_BROKER_URL`` switch it to PostgreSQL and RabbitMQ.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from api_service.listening import CannotListen
from api_service.server import run_in_thread
from hrnn_tuner.algorithms import load_algorithms
from hrnn_tuner.broker import Broker
from hrnn_tuner.broker.connect import open_broker
from hrnn_tuner.broker.memory import InMemoryHub
from hrnn_tuner.broker.topology import build_topology
from hrnn_tuner.settings import Settings
from hrnn_tuner.shutdown import StopSignal
from hrnn_tuner.store import Store
from hrnn_tuner.store.migrate import migrate
from hrnn_tuner.telemetry import CannotServeMetrics, serve_metrics
from scheduler_service.census import Census, registered
from scheduler_service.service import SchedulerService
from worker_service.composition import build_worker
from worker_service.gpu_memory import gpu_memory_registered

#: Nothing but this process can be slow here, so a lost trainer is noticed sooner than over a network.
HEARTBEAT_INTERVAL_S = 2.0
LEASE_TTL_S = 15.0
_STOP_TIMEOUT_S = 20.0


class CannotServe(Exception):
    """The folder or the address is taken by another process, or the address is not allowed."""


def embedded_settings(*, data_dir: Path, listen: str, slots: int, data_prefixes: Sequence[str]) -> Settings:
    """The settings of an embedded server; what the environment sets has precedence over this mode's own defaults."""
    environment = Settings()
    defaults: dict[str, Any] = {
        "database_url": f"sqlite:///{data_dir / 'hrnn-tuner.db'}",
        "broker_url": "memory://",
        "artifacts_url": str(data_dir / "artifacts"),
        "cache_dir": data_dir / "cache",
        "heartbeat_interval_s": HEARTBEAT_INTERVAL_S,
        "lease_ttl_s": LEASE_TTL_S,
    }
    chosen = {name: value for name, value in defaults.items() if name not in environment.model_fields_set}
    prefixes = (*environment.data_prefixes, *data_prefixes)
    return environment.model_copy(update={**chosen, "listen": listen, "worker_slots": slots, "data_prefixes": prefixes})


class EmbeddedServer:
    """API, scheduler and worker in this process.

    Args:
        data_dir: Folder of the database, the artifacts and the prepared data.
        listen: host:port of the API; port 0 takes a free one.
        slots: Training jobs that run at a time.
        data_prefixes: Folders and s3:// prefixes that jobs may read.

    Raises:
        CannotServe: When another process has the folder or the address.
    """

    def __init__(self, *, data_dir: Path, listen: str, slots: int, data_prefixes: Sequence[str]) -> None:
        settings = embedded_settings(data_dir=data_dir, listen=listen, slots=slots, data_prefixes=data_prefixes)
        with ExitStack() as stack:
            _lock(data_dir, stack)
            (data_dir / "artifacts").mkdir(exist_ok=True)
            migrate(settings.database_url)
            store = Store(settings.database_url)
            stack.callback(store.close)
            hub = InMemoryHub(build_topology(settings.resource_classes))

            def link(name: str) -> Broker:
                return stack.enter_context(
                    open_broker(settings.broker_url, name=name, resource_classes=settings.resource_classes, hub=hub)
                )

            scheduler = SchedulerService(settings, store, link("scheduler"))
            scheduler.start()
            stack.callback(scheduler.stop)
            algorithms = load_algorithms(settings.algorithms)
            try:
                api = run_in_thread(settings, store, link("api"), algorithms)
            except CannotListen as error:
                raise CannotServe(str(error)) from error
            stack.callback(api.close)
            worker = build_worker(settings, link("worker"))
            worker.start()
            stack.callback(worker.stop, _STOP_TIMEOUT_S)
            stack.enter_context(registered(Census(store, link("census"), settings=settings)))
            stack.enter_context(gpu_memory_registered())
            try:
                stack.enter_context(serve_metrics(settings.metrics_listen, ready=lambda: True))
            except CannotServeMetrics as error:
                raise CannotServe(str(error)) from error
            self.address = api.address
            self._stack = stack.pop_all()

    def close(self) -> None:
        """Stops worker, API and scheduler in this order; running training jobs go on at the next start."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _lock(data_dir: Path, stack: ExitStack) -> None:
    """Takes the folder for this process; the operating system gives it back however the process ends."""
    data_dir.mkdir(parents=True, exist_ok=True)
    lock = stack.enter_context((data_dir / "lock").open("a+"))
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.seek(0)
        raise CannotServe(f"{data_dir} is in use by process {lock.read().strip() or 'unknown'}") from error
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()


def run_embedded(
    *,
    data_dir: Path,
    listen: str,
    slots: int,
    data_prefixes: Sequence[str],
    ready: Callable[[str], None] | None = None,
) -> None:
    """Serves until SIGINT or SIGTERM.

    Args:
        data_dir: See `EmbeddedServer`.
        listen: See `EmbeddedServer`.
        slots: See `EmbeddedServer`.
        data_prefixes: See `EmbeddedServer`.
        ready: Called with the API's address once it answers.

    Raises:
        CannotServe: When another process has the folder or the address.
    """
    stop = StopSignal()
    with EmbeddedServer(data_dir=data_dir, listen=listen, slots=slots, data_prefixes=data_prefixes) as server:
        if ready is not None:
            ready(server.address)
        stop.wait()
