from __future__ import annotations

import threading
from contextlib import ExitStack

import grpc
import pytest

from hrnn_tuner.client import DeadlineExceededError, NotFoundError, TuningClient, UnavailableError
from hrnn_tuner.v1 import tuning_service_pb2 as pb
from tests.unit.client.canned import completed_job_events, event, tuning_job
from tests.unit.client.conftest import FAST
from tests.unit.client.fake_service import FakeService, Refusal, serving

DRAINING = Refusal(grpc.StatusCode.UNAVAILABLE, "draining")


def test_a_watch_yields_every_event_but_heartbeats_and_ends_with_the_stream(
    service: FakeService, client: TuningClient
) -> None:
    service.answers("WatchTuningJob", completed_job_events())
    tokens = [item.resume_token for item in client.watch_tuning_job("demo")]
    assert tokens == ["1", "2", "3", "4", "5", "6", "7", "9", "10", "11"]
    assert service.requests["WatchTuningJob"] == [pb.WatchTuningJobRequest(name="demo")]


def test_a_broken_watch_goes_on_behind_the_last_event(service: FakeService, client: TuningClient) -> None:
    events = completed_job_events()
    cancelled = Refusal(grpc.StatusCode.CANCELLED, "server stopped")
    service.answers("WatchTuningJob", [*events[:3], DRAINING], [DRAINING], [*events[3:8], cancelled], events[8:])
    tokens = [item.resume_token for item in client.watch_tuning_job("demo", resume_token="0")]
    assert tokens == ["1", "2", "3", "4", "5", "6", "7", "9", "10", "11"]
    assert [request.resume_token for request in service.requests["WatchTuningJob"]] == ["0", "3", "3", "8"]


def test_a_watch_survives_a_restart_of_the_server() -> None:
    first = FakeService().answers("WatchTuningJob", [event("1", tuning_job()), threading.Event()])
    second = FakeService().answers("WatchTuningJob", completed_job_events()[1:])
    with ExitStack() as old, TuningClient(old.enter_context(serving(first)).address, retry=FAST) as client:
        events = client.watch_tuning_job("demo")
        assert next(events).resume_token == "1"
        old.close()
        with serving(second, port=int(first.address.rpartition(":")[2])):
            assert next(events).resume_token == "2"
    assert second.requests["WatchTuningJob"][0].resume_token == "1"


def test_a_watch_gives_up_when_the_server_stays_away(service: FakeService, client: TuningClient) -> None:
    service.answers("WatchTuningJob", [DRAINING])
    with pytest.raises(UnavailableError):
        list(client.watch_tuning_job("demo", max_unavailable_s=0.05))
    assert len(service.requests["WatchTuningJob"]) > 1


def test_a_watch_of_nothing_fails_at_once(service: FakeService, client: TuningClient) -> None:
    service.answers("WatchTuningJob", [Refusal(grpc.StatusCode.NOT_FOUND)])
    with pytest.raises(NotFoundError):
        list(client.watch_tuning_job("demo"))
    assert len(service.requests["WatchTuningJob"]) == 1


def test_leaving_a_watch_early_ends_the_servers_side(service: FakeService, client: TuningClient) -> None:
    service.answers("WatchTuningJob", [event("1", tuning_job()), threading.Event()])
    events = client.watch_tuning_job("demo")
    next(events)
    events.close()  # type: ignore[attr-defined]
    assert service.watch_ended.wait(10)


def test_wait_returns_an_ended_job_without_watching(service: FakeService, client: TuningClient) -> None:
    service.answers("GetTuningJob", pb.GetTuningJobResponse(tuning_job=tuning_job("COMPLETED")))
    assert client.wait("demo") == tuning_job("COMPLETED")
    assert not service.requests["WatchTuningJob"]


def test_wait_watches_from_the_jobs_token_and_returns_the_final_job(service: FakeService, client: TuningClient) -> None:
    service.answers(
        "GetTuningJob", *(pb.GetTuningJobResponse(tuning_job=tuning_job(s)) for s in ("IN_PROGRESS", "FAILED"))
    )
    service.answers("WatchTuningJob", [event("1", tuning_job("FAILED"))])
    assert client.wait("demo", timeout_s=10) == tuning_job("FAILED")
    assert service.requests["WatchTuningJob"][0].resume_token == "t0"


def test_wait_ends_after_its_time(service: FakeService, client: TuningClient) -> None:
    service.answers("GetTuningJob", pb.GetTuningJobResponse(tuning_job=tuning_job()))
    service.answers("WatchTuningJob", [threading.Event()])
    with pytest.raises(TimeoutError, match="has not ended within"):
        client.wait("demo", timeout_s=0.05)
    assert issubclass(DeadlineExceededError, TimeoutError)


def test_wait_for_a_job_that_is_deleted_meanwhile_does_not_find_it(service: FakeService, client: TuningClient) -> None:
    service.answers(
        "GetTuningJob", pb.GetTuningJobResponse(tuning_job=tuning_job()), Refusal(grpc.StatusCode.NOT_FOUND)
    )
    service.answers("WatchTuningJob", [event("1", pb.TuningJobDeleted())])
    with pytest.raises(NotFoundError):
        client.wait("demo")


def test_wait_does_not_take_another_job_of_the_same_name_for_its_own(
    service: FakeService, client: TuningClient
) -> None:
    other = tuning_job()
    other.id = "id-2"
    service.answers("GetTuningJob", *(pb.GetTuningJobResponse(tuning_job=job) for job in (tuning_job(), other)))
    service.answers("WatchTuningJob", [event("1", pb.TuningJobDeleted())])
    with pytest.raises(NotFoundError, match="was deleted"):
        client.wait("demo")
