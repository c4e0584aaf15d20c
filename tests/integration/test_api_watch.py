"""The event stream: resumable at any token, complete, and ended when the job has."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from api_service.tokens import resume_token
from hrnn_tuner.broker import Message
from hrnn_tuner.broker.topology import EVENTS_EXCHANGE, job_key
from hrnn_tuner.store import Store
from hrnn_tuner.v1 import queue_pb2
from hrnn_tuner.v1 import tuning_service_pb2 as pb
from tests.support.api import Api, running_api, spec_of
from tests.support.tuning_life import complete, finish, launch, start
from tests.support.waiting import wait_until


def create(api: Api, name: str = "job") -> str:
    return api.client.create_tuning_job(spec_of(name)).tuning_job.id


def watch(api: Api, token: str = "", name: str = "job") -> Iterator[pb.WatchTuningJobResponse]:
    return iter(api.stub.WatchTuningJob(pb.WatchTuningJobRequest(name=name, resume_token=token), timeout=60))


def test_resuming_at_any_token_loses_and_repeats_nothing(api_on_each_database: Api) -> None:
    api = api_on_each_database
    complete(api.store, create(api), [0.1, 0.4, 0.2, 0.3])
    whole = list(watch(api))
    assert len({event.resume_token for event in whole}) == len(whole)
    for position, event in enumerate(whole[:-1]):
        assert list(watch(api, event.resume_token)) == whole[position + 1 :]
    assert list(watch(api, whole[-1].resume_token)) == []


def test_the_last_state_of_the_stream_equals_get(api_on_each_database: Api) -> None:
    api = api_on_each_database
    complete(api.store, create(api), [0.1, 0.4, 0.2, 0.3])
    shown = [event.tuning_job for event in watch(api) if event.WhichOneof("event") == "tuning_job"][-1]
    read = api.client.get_tuning_job("job")
    for message in (shown, read):
        message.ClearField("runtime_in_seconds")
        message.ClearField("resume_token")
    assert shown == read


def test_a_watch_from_gets_token_shows_only_what_came_after(api: Api) -> None:
    job_id = create(api)
    launch(api.store, job_id, 1)
    token = api.client.get_tuning_job("job").resume_token
    start(api.store, job_id, 1, points=3)
    stream = watch(api, token)
    assert next(stream).training_job.number == 1
    assert [point.step for point in next(stream).metrics.points] == [1, 2, 3]


def test_a_change_is_seen_without_a_hint_and_at_once_with_one(api: Api) -> None:
    job_id = create(api)
    stream = watch(api, api.client.get_tuning_job("job").resume_token)
    link = api.hub.connect("scheduler")
    launch(api.store, job_id, 1)  # writes, and tells nobody
    assert next(stream).decision.kind == "PROPOSED"
    assert next(stream).training_job.number == 1
    assert next(stream).tuning_job.training_job_state_counters.in_progress == 1
    seen: list[float] = []

    def read() -> None:
        next(stream)
        seen.append(time.monotonic())

    reader = threading.Thread(target=read)
    reader.start()
    start(api.store, job_id, 1)
    written = time.monotonic()
    hint = Message("hrnn_tuner.v1.JobHint", queue_pb2.JobHint(tuning_job_id=job_id).SerializeToString())
    link.publish(EVENTS_EXCHANGE, job_key(job_id), hint)
    reader.join(10)
    link.close()
    assert seen
    assert seen[0] - written < 1.0, "sooner than the poll"


def test_the_stream_ends_after_the_terminal_state(api: Api) -> None:
    job_id = create(api)
    events: list[pb.WatchTuningJobResponse] = []
    reader = threading.Thread(target=lambda: events.extend(watch(api)))
    reader.start()
    for number in range(1, 5):
        launch(api.store, job_id, 1)
        start(api.store, job_id, number)
        finish(api.store, job_id, number, 0.5)
    reader.join(20)
    assert not reader.is_alive()
    assert events[-1].tuning_job.best_training_job.number == 1


def test_a_deletion_ends_the_stream(api: Api) -> None:
    job_id = create(api)
    stream = watch(api)
    assert [next(stream).WhichOneof("event") for _ in range(2)] == ["decision", "tuning_job"]
    with api.store.write() as tx:
        tx.tuning_jobs.delete(job_id)
    assert [event.WhichOneof("event") for event in stream] == ["deleted"]


@pytest.mark.parametrize("token", ["garbage", "e30", "WyJ4IiwxXQ"])
def test_a_token_of_nothing_or_of_another_job_is_refused(api: Api, token: str) -> None:
    create(api)
    with pytest.raises(grpc.RpcError, match="resume_token") as caught:
        list(watch(api, token))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_a_token_ahead_of_the_log_is_out_of_range(api: Api) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        list(watch(api, resume_token(create(api), 999)))
    assert caught.value.code() is grpc.StatusCode.OUT_OF_RANGE


def test_an_unknown_job_is_not_found(shared_api: Api) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        list(watch(shared_api, name="nobody"))
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_a_silent_stream_shows_that_it_lives(tmp_path: Path, sqlite_store: Store) -> None:
    with running_api(tmp_path, sqlite_store, heartbeat_s=0.1) as api:
        create(api)
        token = api.client.get_tuning_job("job").resume_token
        beat = next(watch(api, token))
    assert (beat.WhichOneof("event"), beat.resume_token) == ("heartbeat", token)


def test_a_server_that_drains_ends_its_streams_with_their_token(tmp_path: Path, sqlite_store: Store) -> None:
    with running_api(tmp_path, sqlite_store) as api:
        create(api)
        token = api.client.get_tuning_job("job").resume_token
        stream = api.stub.WatchTuningJob(pb.WatchTuningJobRequest(name="job"), timeout=60)
        seen = [next(stream), next(stream)]
        api.server.close()
        with pytest.raises(grpc.RpcError) as caught:
            list(stream)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        assert seen[-1].resume_token == token


def test_cancelled_streams_leave_nothing_behind(api: Api) -> None:
    create(api)
    streams = [api.stub.WatchTuningJob(pb.WatchTuningJobRequest(name="job"), timeout=60) for _ in range(30)]
    for stream in streams:
        next(stream)
    hints = api.server.hints
    wait_until(lambda: hints.listeners == 30, 10, "thirty listeners")
    for stream in streams:
        stream.cancel()
    wait_until(lambda: hints.listeners == 0, 10, "no listener")
