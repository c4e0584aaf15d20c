from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import grpc
import pytest

from hrnn_tuner.client import AsyncTuningClient, InvalidRequestError, NotFoundError, TuningClient, UnavailableError
from hrnn_tuner.v1 import tuning_service_pb2 as pb
from hrnn_tuner.v1.algorithm_pb2 import Algorithm
from hrnn_tuner.v1.training_job_pb2 import MetricPoint
from tests.unit.client.canned import completed_job_events, event, explanation_pages, spec, training_job, tuning_job
from tests.unit.client.conftest import FAST
from tests.unit.client.fake_service import FakeService, Refusal, bad_request

AWAY = Refusal(grpc.StatusCode.UNAVAILABLE, "draining")


@pytest.fixture
async def client(service: FakeService) -> AsyncIterator[AsyncTuningClient]:
    async with AsyncTuningClient(service.address, timeout_s=10, retry=FAST) as connected:
        yield connected


def test_both_clients_have_the_same_methods() -> None:
    def public(kind: type) -> set[str]:
        return {name for name in vars(kind) if not name.startswith("_")}

    assert public(TuningClient) == public(AsyncTuningClient)


async def test_a_retried_create_keeps_its_request_id(service: FakeService, client: AsyncTuningClient) -> None:
    service.answers("CreateTuningJob", AWAY, AWAY, pb.CreateTuningJobResponse(tuning_job=tuning_job()))
    assert (await client.create_tuning_job(spec())).tuning_job == tuning_job()
    sent = service.requests["CreateTuningJob"]
    assert (len(sent), len({request.request_id for request in sent})) == (3, 1)
    assert all(deadline_s is not None for deadline_s in service.deadlines_s["CreateTuningJob"])


async def test_violations_are_decoded(service: FakeService, client: AsyncTuningClient) -> None:
    service.answers("CreateTuningJob", Refusal(grpc.StatusCode.INVALID_ARGUMENT, "bad", [bad_request(name="taken")]))
    with pytest.raises(InvalidRequestError) as caught:
        await client.create_tuning_job(spec())
    assert [(item.field, item.description) for item in caught.value.violations] == [("name", "taken")]


async def test_a_call_gives_up_after_a_bounded_number_of_attempts(
    service: FakeService, client: AsyncTuningClient
) -> None:
    service.answers("GetTuningJob", AWAY)
    with pytest.raises(UnavailableError):
        await client.get_tuning_job("demo")
    assert len(service.requests["GetTuningJob"]) == 5


async def test_deleting_what_a_lost_answer_already_deleted_succeeds(
    service: FakeService, client: AsyncTuningClient
) -> None:
    service.answers("DeleteTuningJob", AWAY, Refusal(grpc.StatusCode.NOT_FOUND))
    await client.delete_tuning_job("demo")
    with pytest.raises(NotFoundError):
        await client.delete_tuning_job("demo")


async def test_listings_follow_all_pages(service: FakeService, client: AsyncTuningClient) -> None:
    service.answers(
        "ListTuningJobs",
        pb.ListTuningJobsResponse(tuning_jobs=[tuning_job(name="a")], next_page_token="p2"),
        pb.ListTuningJobsResponse(tuning_jobs=[tuning_job(name="b")]),
    )
    service.answers("ListTrainingJobs", pb.ListTrainingJobsResponse(training_jobs=[training_job(1)]))
    service.answers("ListMetrics", pb.ListMetricsResponse(points=[MetricPoint(step=3)]))
    assert [job.name async for job in client.list_tuning_jobs(descending=True)] == ["a", "b"]
    assert [job.number async for job in client.list_training_jobs("demo")] == [1]
    assert [point.step async for point in client.list_metrics("demo-1-00000001")] == [3]
    assert [request.page_token for request in service.requests["ListTuningJobs"]] == ["", "p2"]


async def test_an_explanation_has_all_pages(service: FakeService, client: AsyncTuningClient) -> None:
    service.answers("ExplainTuningJob", *explanation_pages())
    whole = await client.explain_tuning_job("demo")
    assert [item.training_job_number for item in whole.proposals] == [1, 2, 3]
    assert (len(whole.insights), whole.next_page_token) == (1, "")


async def test_a_broken_watch_goes_on_behind_the_last_event(service: FakeService, client: AsyncTuningClient) -> None:
    events = completed_job_events()
    service.answers("WatchTuningJob", [*events[:8], AWAY], [AWAY], events[8:])
    tokens = [item.resume_token async for item in client.watch_tuning_job("demo")]
    assert tokens == ["1", "2", "3", "4", "5", "6", "7", "9", "10", "11"]
    assert [request.resume_token for request in service.requests["WatchTuningJob"]] == ["", "8", "8"]


async def test_cancelling_a_watch_ends_the_servers_side(service: FakeService, client: AsyncTuningClient) -> None:
    service.answers("WatchTuningJob", [event("1", tuning_job()), threading.Event()])
    received = asyncio.Event()

    async def consume() -> None:
        async for _ in client.watch_tuning_job("demo"):
            received.set()

    task = asyncio.create_task(consume())
    await received.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(service.watch_ended.wait, 10)


async def test_wait_returns_the_final_job(service: FakeService, client: AsyncTuningClient) -> None:
    states = ("IN_PROGRESS", "COMPLETED", "COMPLETED")
    service.answers("GetTuningJob", *(pb.GetTuningJobResponse(tuning_job=tuning_job(state)) for state in states))
    service.answers("WatchTuningJob", completed_job_events())
    assert await client.wait("demo", timeout_s=10) == tuning_job("COMPLETED")
    assert await client.wait("demo") == tuning_job("COMPLETED")
    assert len(service.requests["WatchTuningJob"]) == 1


async def test_wait_ends_after_its_time(service: FakeService, client: AsyncTuningClient) -> None:
    service.answers("GetTuningJob", pb.GetTuningJobResponse(tuning_job=tuning_job()))
    service.answers("WatchTuningJob", [threading.Event()])
    with pytest.raises(TimeoutError, match="has not ended"):
        await client.wait("demo", timeout_s=0.05)


async def test_the_other_methods_send_what_they_are_given(service: FakeService, client: AsyncTuningClient) -> None:
    service.answers("StopTuningJob", pb.StopTuningJobResponse(tuning_job=tuning_job("STOPPING")))
    service.answers("GetTrainingJob", pb.GetTrainingJobResponse(training_job=training_job(1)))
    service.answers("StopTrainingJob", pb.StopTrainingJobResponse(training_job=training_job(1)))
    service.answers("ListAlgorithms", pb.ListAlgorithmsResponse(algorithms=[Algorithm(name="hrnn")]))
    service.answers("GetAlgorithm", pb.GetAlgorithmResponse(algorithm=Algorithm(name="hrnn")))
    service.answers("TagResource", pb.TagResourceResponse(tags={"a": "1"}))
    service.answers("UntagResource", pb.UntagResourceResponse(tags={}))
    assert (await client.stop_tuning_job("demo")).state == tuning_job("STOPPING").state
    assert (await client.get_training_job("demo-1-00000001")).number == 1
    assert (await client.stop_training_job("demo-1-00000001")).number == 1
    assert [algorithm.name for algorithm in await client.list_algorithms()] == ["hrnn"]
    assert (await client.get_algorithm("hrnn")).name == "hrnn"
    assert await client.tag_tuning_job("demo", {"a": "1"}) == {"a": "1"}
    assert await client.untag_tuning_job("demo", ["a"]) == {}
