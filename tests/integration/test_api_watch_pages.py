"""Streams over many pages of the log: complete, resumable between any two, and ended by a drain in the middle."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from api_service.hints import JobHints
from api_service.run_blocking import Result
from api_service.watch_places import WatchPlaces
from api_service.watching import Watcher
from hrnn_tuner.domain.access import DEFAULT_PROJECT
from hrnn_tuner.domain.clock import utc_now
from hrnn_tuner.domain.errors import ServiceUnavailable
from hrnn_tuner.store import Store
from hrnn_tuner.v1 import tuning_service_pb2 as pb
from tests.support.api import Api, running_api, spec_of
from tests.support.tuning_life import complete
from tests.support.waiting import wait_until


def watch(api: Api, token: str = "") -> list[pb.WatchTuningJobResponse]:
    return list(api.stub.WatchTuningJob(pb.WatchTuningJobRequest(name="job", resume_token=token), timeout=60))


def test_the_size_of_a_page_cannot_be_seen(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = api.client.create_tuning_job(spec_of()).tuning_job.id
    complete(api.store, job_id, [0.1, 0.4, 0.4, 0.9])
    whole = watch(api)
    for size in (1, 2, 3, 7):
        monkeypatch.setattr("api_service.log_tail.PAGE_SIZE", size)
        assert watch(api) == whole
        middle = len(whole) // 2
        assert watch(api, whole[middle].resume_token) == whole[middle + 1 :]


def test_each_state_shows_the_best_training_job_of_its_moment(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api_service.log_tail.PAGE_SIZE", 2)  # the best is seldom in the page that names it
    job_id = api.client.create_tuning_job(spec_of()).tuning_job.id
    complete(api.store, job_id, [0.1, 0.4, 0.4, 0.9])
    whole = watch(api)
    for position, event in enumerate(whole):
        rest = [event, *watch(api, event.resume_token)]
        assert rest == whole[position:]
    best = [event.tuning_job.best_training_job for event in whole if event.HasField("tuning_job")]
    numbers = [job.number for job in best]
    assert numbers == sorted(numbers)
    assert set(numbers) == {0, 1, 2, 4}, "a tie keeps the lower number"
    assert {job.final_objective_value for job in best if job.number} == {0.1, 0.4, 0.9}


async def in_a_thread(call: Callable[[], Result]) -> Result:
    return await asyncio.to_thread(call)


async def test_a_drain_does_not_wait_for_a_stream_that_has_more_to_send(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api_service.log_tail.PAGE_SIZE", 1)
    job_id = api.client.create_tuning_job(spec_of()).tuning_job.id
    complete(api.store, job_id, [0.1, 0.4, 0.4, 0.9])
    with ThreadPoolExecutor(1) as executor:
        hints = JobHints(api.hub.connect("second-api"), executor)
        watcher = Watcher(api.store, hints, in_a_thread, utc_now, WatchPlaces(1, 1))
        stream = watcher.watch(DEFAULT_PROJECT, "job", "")
        seen = [await anext(stream), await anext(stream)]
        watcher.drain()
        with pytest.raises(ServiceUnavailable) as caught:
            await anext(stream)
    assert caught.value.metadata["resume_token"] == seen[-1].resume_token, "go on with what was not sent"
    assert hints.listeners == 0


def test_a_drained_idle_stream_is_told_its_token_and_when_to_retry(tmp_path: Path, sqlite_store: Store) -> None:
    with running_api(tmp_path, sqlite_store) as api:
        api.client.create_tuning_job(spec_of())
        stream = api.stub.WatchTuningJob(pb.WatchTuningJobRequest(name="job"), timeout=60)
        seen = [next(stream), next(stream)]
        wait_until(lambda: api.server.hints.listeners == 1, message="the stream to wait")
        api.server.close(5)
        with pytest.raises(grpc.RpcError) as caught:
            next(stream)
    status = rpc_status.from_call(caught.value)
    kinds = {detail.TypeName() for detail in status.details}
    assert kinds == {"google.rpc.ErrorInfo", "google.rpc.RetryInfo"}
    info = error_details_pb2.ErrorInfo()
    status.details[0].Unpack(info)
    assert (info.domain, info.metadata["resume_token"]) == ("hrnn-tuner", seen[-1].resume_token)
