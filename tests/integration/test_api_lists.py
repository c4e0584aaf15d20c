"""Lists: filters, orders, and pages that survive inserts."""

from __future__ import annotations

import grpc
import pytest

from hrnn_tuner.v1 import tuning_service_pb2 as pb
from tests.support.api import Api, spec_of
from tests.support.tuning_life import complete


def pages(api: Api, request: pb.ListTuningJobsRequest, between: list[str]) -> list[str]:
    """All names, page by page, creating another job after each page."""
    names: list[str] = []
    while True:
        answer = api.stub.ListTuningJobs(request)
        names += [job.name for job in answer.tuning_jobs]
        if not answer.next_page_token:
            return names
        request.page_token = answer.next_page_token
        if between:
            api.client.create_tuning_job(spec_of(between.pop()))


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("order", ["NAME", "STATE", "CREATE_TIME"])
def test_pages_lose_and_repeat_nothing_though_jobs_are_created_in_between(
    api_on_each_database: Api, order: str, descending: bool
) -> None:
    api = api_on_each_database
    for name in ("b", "d", "a", "e", "c"):
        api.client.create_tuning_job(spec_of(name))
    request = pb.ListTuningJobsRequest(page_size=2, order_by=f"TUNING_JOB_ORDER_{order}", descending=descending)
    names = pages(api, request, ["aa", "z", "bb"])
    assert len(names) == len(set(names))
    originals = [name for name in names if len(name) == 1 and name != "z"]
    expected = ["b", "d", "a", "e", "c"] if order == "CREATE_TIME" else ["a", "b", "c", "d", "e"]
    assert originals == (expected[::-1] if descending else expected)


def test_filters_narrow_a_list_and_definitions_are_left_out(api: Api) -> None:
    ended = api.client.create_tuning_job(spec_of("ended")).tuning_job
    api.client.create_tuning_job(spec_of("running"))
    complete(api.store, ended.id, [0.1, 0.2, 0.3, 0.4])
    answer = api.stub.ListTuningJobs(pb.ListTuningJobsRequest(state="TUNING_JOB_STATE_COMPLETED"))
    (only,) = answer.tuning_jobs
    assert only.name == "ended"
    assert not only.spec.training_job_definitions
    assert only.best_training_job.final_objective_value == 0.4
    contains = api.stub.ListTuningJobs(pb.ListTuningJobsRequest(name_contains="RUN")).tuning_jobs
    assert [job.name for job in contains] == ["running"]
    before = pb.ListTuningJobsRequest(created_before=ended.create_time)
    assert not api.stub.ListTuningJobs(before).tuning_jobs


def test_training_jobs_are_sorted_by_objective_and_those_without_one_left_out(api: Api) -> None:
    job = api.client.create_tuning_job(spec_of(resource_limits={
        "max_number_of_training_jobs": 9, "max_parallel_training_jobs": 2})).tuning_job  # fmt: skip
    complete(api.store, job.id, [0.2, 0.9, 0.5])
    request = pb.ListTrainingJobsRequest(
        tuning_job_name="job",
        page_size=2,
        order_by="TRAINING_JOB_ORDER_FINAL_OBJECTIVE_VALUE",
        descending=True,
    )
    first = api.stub.ListTrainingJobs(request)
    request.page_token = first.next_page_token
    second = api.stub.ListTrainingJobs(request)
    values = [item.final_objective_value for item in (*first.training_jobs, *second.training_jobs)]
    assert values == [0.9, 0.5, 0.2]
    assert second.next_page_token == ""


@pytest.mark.parametrize("token", ["garbage", "e30", "W10", "WyJ4IixbMV1d"])
def test_a_token_that_is_not_of_this_list_is_refused(shared_api: Api, token: str) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        shared_api.stub.ListTuningJobs(pb.ListTuningJobsRequest(page_token=token))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "page_token" in caught.value.details()


def test_a_token_of_another_filter_is_refused(api: Api) -> None:
    for name in ("a", "b"):
        api.client.create_tuning_job(spec_of(name))
    token = api.stub.ListTuningJobs(pb.ListTuningJobsRequest(page_size=1)).next_page_token
    with pytest.raises(grpc.RpcError, match="page_token"):
        api.stub.ListTuningJobs(pb.ListTuningJobsRequest(page_size=1, page_token=token, descending=True))


@pytest.mark.parametrize("size", [0, -1, 101])
def test_a_page_size_beyond_its_limits_is_refused(shared_api: Api, size: int) -> None:
    with pytest.raises(grpc.RpcError, match=f"page_size: got {size}"):
        shared_api.stub.ListTuningJobs(pb.ListTuningJobsRequest(page_size=size))
