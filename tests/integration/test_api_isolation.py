"""One thing that is slow or away does not hold up the others."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from google.protobuf.json_format import ParseDict

from api_service.server import CREATE_THREADS
from hrnn_tuner.broker import BrokerUnavailable
from hrnn_tuner.broker.memory import InMemoryHub
from hrnn_tuner.broker.topology import build_topology
from hrnn_tuner.client import ResourceExhaustedError
from hrnn_tuner.v1 import tuning_service_pb2 as pb
from tests.support.api import CSV, Api, hrnn_spec_of, running_api, spec_of
from tests.support.waiting import wait_until

#: Far below the time that what is slow here takes, far above that of a call that waits for nothing.
PROMPT_S = 1.0


@pytest.fixture
def hung_data(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Looking at data hangs until the test ends; holds what was looked at."""
    gate = threading.Event()
    looked_at: list[str] = []

    def hang(uri: str, *_: object) -> None:
        looked_at.append(uri)
        gate.wait(30)

    monkeypatch.setattr("api_service.validation.locations.complaint_about", hang)
    yield looked_at
    gate.set()


def test_data_that_take_long_to_look_at_hold_up_no_other_call(api: Api, hung_data: list[str]) -> None:
    path = api.data / "a.csv"
    path.write_text(CSV)
    futures = [
        api.stub.CreateTuningJob.future(
            ParseDict({"tuning_job": hrnn_spec_of(f"job{index}", ("interactions", path))}, pb.CreateTuningJobRequest()),
            timeout=60,
        )
        for index in range(4 * CREATE_THREADS)
    ]
    wait_until(lambda: len(hung_data) == CREATE_THREADS, message="every thread for creations is taken")
    began = time.monotonic()
    assert api.names == []
    assert time.monotonic() - began < PROMPT_S
    for future in futures:
        future.cancel()


def test_a_broker_that_does_not_answer_holds_up_no_call(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    api.client.create_tuning_job(spec_of())
    gate = threading.Event()

    def hang(*_: object, **__: object) -> None:
        gate.wait(10)
        raise BrokerUnavailable("it does not answer")

    link = type(InMemoryHub(build_topology(["default"])).connect("any"))
    monkeypatch.setattr(link, "publish", hang)
    began = time.monotonic()
    for index in range(20):
        api.client.tag_tuning_job("job", {f"key{index}": "value"})
    assert len(api.client.get_tuning_job("job").spec.tags) == 20
    assert time.monotonic() - began < 5 * PROMPT_S, "twenty writes, none of which waited for the broker"
    gate.set()


def test_creations_at_the_same_time_keep_to_the_quota(api_on_each_database: Api, tmp_path: Path) -> None:
    (tmp_path / "limited").mkdir()
    barrier = threading.Barrier(8)
    with running_api(tmp_path / "limited", api_on_each_database.store, max_tuning_jobs_in_progress=3) as api:

        def create(index: int) -> bool:
            barrier.wait()
            try:
                api.client.create_tuning_job(spec_of(f"job{index}"))
            except ResourceExhaustedError:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(create, range(8))) == 3
        assert len(api.names) == 3
