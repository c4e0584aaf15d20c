from __future__ import annotations

import threading
import uuid
from datetime import datetime

import grpc
import pytest

from hrnn_tuner import client as exported
from hrnn_tuner.client import (
    DeadlineExceededError,
    NotFoundError,
    RetryPolicy,
    TuningClient,
    UnavailableError,
)
from hrnn_tuner.v1 import tuning_service_pb2 as pb
from hrnn_tuner.v1.algorithm_pb2 import Algorithm
from hrnn_tuner.v1.training_job_pb2 import MetricPoint
from tests.unit.client.canned import explanation_pages, spec, training_job, tuning_job
from tests.unit.client.fake_service import FakeService, Refusal

AWAY = Refusal(grpc.StatusCode.UNAVAILABLE, "draining")


def test_every_exported_name_exists_and_the_list_is_sorted() -> None:
    assert all(hasattr(exported, name) for name in exported.__all__)
    assert exported.__all__ == sorted(exported.__all__)


def test_create_sends_a_fresh_uuid_and_returns_the_job_with_warnings(
    service: FakeService, client: TuningClient
) -> None:
    service.answers("CreateTuningJob", pb.CreateTuningJobResponse(tuning_job=tuning_job(), warnings=["careful"]))
    assert client.create_tuning_job(spec()).warnings == ["careful"]
    client.create_tuning_job(spec(), validate_only=True)
    first, second = service.requests["CreateTuningJob"]
    assert uuid.UUID(first.request_id).version == 4
    assert first.request_id != second.request_id
    assert (first.validate_only, second.validate_only) == (False, True)
    assert first.tuning_job == spec()


def test_a_retried_create_keeps_its_request_id(service: FakeService, client: TuningClient) -> None:
    service.answers("CreateTuningJob", AWAY, AWAY, pb.CreateTuningJobResponse(tuning_job=tuning_job()))
    client.create_tuning_job(spec())
    assert len({request.request_id for request in service.requests["CreateTuningJob"]}) == 1
    assert len(service.requests["CreateTuningJob"]) == 3


def test_create_keeps_the_request_id_of_a_whole_request(service: FakeService, client: TuningClient) -> None:
    service.answers("CreateTuningJob", pb.CreateTuningJobResponse(tuning_job=tuning_job()))
    request = pb.CreateTuningJobRequest(tuning_job=spec(), request_id=str(uuid.uuid4()), validate_only=True)
    client.create_tuning_job(request)
    assert service.requests["CreateTuningJob"] == [request]


def test_every_unary_call_has_a_deadline(service: FakeService, client: TuningClient) -> None:
    service.answers("GetTuningJob", pb.GetTuningJobResponse(tuning_job=tuning_job()))
    client.get_tuning_job("demo")
    (deadline_s,) = service.deadlines_s["GetTuningJob"]
    assert deadline_s is not None
    assert 0 < deadline_s < 11  # gRPC rounds up what it sends


def test_a_call_ends_at_its_deadline(service: FakeService) -> None:
    released = threading.Event()

    def hang(_request: object) -> pb.GetTuningJobResponse:
        released.wait(10)
        return pb.GetTuningJobResponse()

    service.answers("GetTuningJob", hang)
    with TuningClient(service.address, timeout_s=0.05) as client, pytest.raises(DeadlineExceededError):
        client.get_tuning_job("demo")
    released.set()


def test_a_call_gives_up_after_a_bounded_number_of_attempts(service: FakeService, client: TuningClient) -> None:
    service.answers("GetTuningJob", AWAY)
    with pytest.raises(UnavailableError) as caught:
        client.get_tuning_job("demo")
    assert len(service.requests["GetTuningJob"]) == caught.value.attempts == 5


def test_a_server_that_is_not_there_is_unavailable() -> None:
    with (
        TuningClient("127.0.0.1:1", retry=RetryPolicy(max_attempts=2, initial_backoff_s=0.001)) as client,
        pytest.raises(UnavailableError),
    ):
        client.list_algorithms()


def test_an_answer_that_would_be_the_same_again_is_not_asked_for_again(
    service: FakeService, client: TuningClient
) -> None:
    service.answers("GetTuningJob", Refusal(grpc.StatusCode.NOT_FOUND))
    with pytest.raises(NotFoundError):
        client.get_tuning_job("demo")
    assert len(service.requests["GetTuningJob"]) == 1


def test_deleting_what_a_lost_answer_already_deleted_succeeds(service: FakeService, client: TuningClient) -> None:
    service.answers("DeleteTuningJob", AWAY, Refusal(grpc.StatusCode.NOT_FOUND))
    client.delete_tuning_job("demo")
    with pytest.raises(NotFoundError):
        client.delete_tuning_job("demo")


def test_a_listing_follows_all_pages_with_its_filters(service: FakeService, client: TuningClient) -> None:
    service.answers(
        "ListTuningJobs",
        pb.ListTuningJobsResponse(tuning_jobs=[tuning_job(name="a"), tuning_job(name="b")], next_page_token="p2"),
        pb.ListTuningJobsResponse(next_page_token="p3"),
        pb.ListTuningJobsResponse(tuning_jobs=[tuning_job(name="c")]),
    )
    after = datetime(2026, 1, 1)
    jobs = client.list_tuning_jobs(state="TUNING_JOB_STATE_IN_PROGRESS", name_contains="x", created_after=after)
    assert [job.name for job in jobs] == ["a", "b", "c"]
    sent = service.requests["ListTuningJobs"]
    assert [request.page_token for request in sent] == ["", "p2", "p3"]
    assert {request.name_contains for request in sent} == {"x"}
    assert sent[0].created_after.ToDatetime() == after


def test_a_listing_fetches_a_page_only_when_it_is_needed(service: FakeService, client: TuningClient) -> None:
    page = pb.ListTuningJobsResponse(tuning_jobs=[tuning_job(name="a")], next_page_token="more")
    service.answers("ListTuningJobs", page)
    assert next(client.list_tuning_jobs()).name == "a"
    assert len(service.requests["ListTuningJobs"]) == 1


def test_training_jobs_are_listed_in_the_order_asked_for(service: FakeService, client: TuningClient) -> None:
    service.answers("ListTrainingJobs", pb.ListTrainingJobsResponse(training_jobs=[training_job(2, 0.2)]))
    order = pb.TRAINING_JOB_ORDER_FINAL_OBJECTIVE_VALUE
    assert [job.number for job in client.list_training_jobs("demo", order_by=order, descending=True)] == [2]
    (request,) = service.requests["ListTrainingJobs"]
    assert (request.order_by, request.descending, request.tuning_job_name) == (order, True, "demo")


def test_an_explanation_has_all_pages(service: FakeService, client: TuningClient) -> None:
    service.answers("ExplainTuningJob", *explanation_pages())
    whole = client.explain_tuning_job("demo")
    assert [item.training_job_number for item in whole.proposals] == [1, 2, 3]
    assert (len(whole.insights), whole.next_page_token) == (1, "")
    assert [request.page_token for request in service.requests["ExplainTuningJob"]] == ["", "p2"]


def test_the_other_methods_send_what_they_are_given(service: FakeService, client: TuningClient) -> None:
    service.answers("StopTuningJob", pb.StopTuningJobResponse(tuning_job=tuning_job("STOPPING")))
    service.answers("GetTrainingJob", pb.GetTrainingJobResponse(training_job=training_job(1)))
    service.answers("StopTrainingJob", pb.StopTrainingJobResponse(training_job=training_job(1)))
    service.answers("ListMetrics", pb.ListMetricsResponse(points=[MetricPoint(metric_name="loss", step=1)]))
    service.answers("ListAlgorithms", pb.ListAlgorithmsResponse(algorithms=[Algorithm(name="hrnn")]))
    service.answers("GetAlgorithm", pb.GetAlgorithmResponse(algorithm=Algorithm(name="hrnn")))
    service.answers("TagResource", pb.TagResourceResponse(tags={"a": "1"}))
    service.answers("UntagResource", pb.UntagResourceResponse(tags={}))
    assert client.stop_tuning_job("demo").state == tuning_job("STOPPING").state
    assert client.get_training_job("demo-1-00000001") == training_job(1)
    assert client.stop_training_job("demo-1-00000001").number == 1
    assert [point.step for point in client.list_metrics("demo-1-00000001", metric_names=["loss"])] == [1]
    assert [algorithm.name for algorithm in client.list_algorithms()] == ["hrnn"]
    assert client.get_algorithm("hrnn").name == "hrnn"
    assert client.tag_tuning_job("demo", {"a": "1"}) == {"a": "1"}
    assert client.untag_tuning_job("demo", ["a"]) == {}
    assert service.requests["ListMetrics"][0].metric_names == ["loss"]
    assert service.requests["TagResource"][0].tags == {"a": "1"}
    assert service.requests["UntagResource"][0].tag_keys == ["a"]
