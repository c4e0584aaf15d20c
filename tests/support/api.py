"""The API as a real gRPC server on a thread, with a client, for tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import grpc
import pytest

from api_service.server import ServerThread, run_in_thread
from hrnn_tuner.algorithms import load_algorithms
from hrnn_tuner.broker.memory import InMemoryHub
from hrnn_tuner.broker.topology import build_topology
from hrnn_tuner.client import RetryPolicy, TuningClient
from hrnn_tuner.domain.clock import utc_now
from hrnn_tuner.settings import Settings
from hrnn_tuner.store import Store
from hrnn_tuner.v1.tuning_service_pb2_grpc import TuningServiceStub
from tests.support.specifications import synthetic_spec
from tests.support.tuning import open_store, sqlite_url

SYNTHETIC = "tests.support.synthetic_algorithm:ALGORITHM"
CSV = "USER_ID,ITEM_ID,TIMESTAMP\n1,2,3\n"
NO_RETRIES = RetryPolicy(max_attempts=1)


@dataclass(frozen=True)
class Api:
    """A running API.

    Attributes:
        folder: Holds ``data`` (the one allowed prefix) and ``artifacts``.
        store: Its database.
        hub: Its broker.
        server: The server.
        client: A client that never retries.
        stub: The raw stub, for what the client hides.
    """

    folder: Path
    store: Store
    hub: InMemoryHub
    server: ServerThread
    client: TuningClient
    stub: Any

    @property
    def data(self) -> Path:
        """The folder that jobs may read and write."""
        return self.folder / "data"

    @property
    def names(self) -> list[str]:
        """Names of all tuning jobs that are stored."""
        return [job.name for job in self.client.list_tuning_jobs()]


@contextmanager
def running_api(
    folder: Path,
    store: Store,
    *,
    clock: Callable[[], datetime] = utc_now,
    heartbeat_s: float = 20.0,
    **settings: Any,
) -> Iterator[Api]:
    """Runs an API with its files in a folder; ``settings`` override the defaults."""
    (folder / "data").mkdir(exist_ok=True)
    values: dict[str, Any] = {
        "listen": "127.0.0.1:0",
        "artifacts_url": str(folder / "artifacts"),
        "data_prefixes": (str(folder / "data"),),
    }
    configured = Settings(**(values | settings))
    hub = InMemoryHub(build_topology(configured.resource_classes))
    broker = hub.connect("api")
    server = run_in_thread(
        configured,
        store,
        broker,
        load_algorithms([SYNTHETIC]),
        clock=clock,
        heartbeat_s=heartbeat_s,
    )
    try:
        with (
            TuningClient(server.address, retry=NO_RETRIES, timeout_s=20) as client,
            grpc.insecure_channel(server.address) as channel,
        ):
            yield Api(folder, store, hub, server, client, TuningServiceStub(channel))  # type: ignore[no-untyped-call]
    finally:
        server.close(timeout_s=0.2)
        broker.close()


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[Store]:
    """A store on SQLite, where the kind of database does not matter."""
    opened = open_store(sqlite_url(tmp_path))
    yield opened
    opened.close()


@pytest.fixture
def api(tmp_path: Path, sqlite_store: Store) -> Iterator[Api]:
    """An API on SQLite."""
    with running_api(tmp_path, sqlite_store) as running:
        yield running


@pytest.fixture
def api_on_each_database(tmp_path: Path, store: Store) -> Iterator[Api]:
    """An API; the test runs once per kind of database."""
    with running_api(tmp_path, store) as running:
        yield running


@pytest.fixture(scope="module")
def shared_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """An API on SQLite for all tests of a module that store nothing."""
    folder = tmp_path_factory.mktemp("shared-api")
    store = open_store(sqlite_url(folder))
    with running_api(folder, store) as running:
        yield running
    store.close()


def spec_of(name: str = "job", **fields: Any) -> dict[str, Any]:
    """A valid request of the synthetic algorithm; ``fields`` override those of the tuning job."""
    return synthetic_spec(name) | fields


def hrnn_spec_of(name: str, *channels: tuple[str, Path | str], **definition: Any) -> dict[str, Any]:
    """A request of HRNN with these channels; ``definition`` overrides fields of the definition."""
    described = {
        "algorithm": "hrnn",
        "objective": {"type": "OBJECTIVE_TYPE_MAXIMIZE", "metric_name": "precision_at_25"},
        "parameter_ranges": {"integer_parameter_ranges": [{"name": "bptt", "min_value": 2, "max_value": 32}]},
        "data_channels": [{"name": channel, "uri": str(uri)} for channel, uri in channels],
    }
    return spec_of(name) | {"training_job_definitions": [described | definition]}


def definition_of(spec: dict[str, Any]) -> dict[str, Any]:
    """The first training job definition of a request."""
    definition: dict[str, Any] = spec["training_job_definitions"][0]
    return definition
