"""Requests that nobody sends by accident get an answer that says what is wrong, never INTERNAL and never none."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.json_format import ParseDict
from google.protobuf.timestamp_pb2 import Timestamp
from grpc_health.v1 import health_pb2, health_pb2_grpc

from api_service.server import SERVICE
from hrnn_tuner.algorithms.hrnn import ALGORITHM
from hrnn_tuner.client import AlreadyExistsError, InvalidRequestError, NotFoundError, ResourceExhaustedError
from hrnn_tuner.store import Store
from hrnn_tuner.store.migrate import migrate
from hrnn_tuner.v1 import tuning_job_pb2
from hrnn_tuner.v1 import tuning_service_pb2 as pb
from tests.support.api import Api, definition_of, hrnn_spec_of, running_api, spec_of
from tests.support.bad_requests import JOBS, STATIC, limits
from tests.support.changed_messages import each_changed, empty
from tests.support.waiting import wait_until

LONG = "a" * 100_000
_METHODS = pb.DESCRIPTOR.services_by_name["TuningService"].methods_by_name


def with_unknown(spec: dict[str, Any], count: int, name: str = "wrong") -> dict[str, Any]:
    """A request with so many unknown hyperparameters."""
    definition_of(spec)["static_hyperparameters"] = {f"{name}{index}": {"integer_value": 1} for index in range(count)}
    return spec


def test_violations_of_all_kinds_come_in_one_answer(shared_api: Api) -> None:
    spec = with_unknown(spec_of(**limits(jobs=0), weight=0), 3)
    with pytest.raises(InvalidRequestError) as caught:
        shared_api.client.create_tuning_job(spec)
    assert {item.field for item in caught.value.violations} == {
        JOBS,
        "tuning_job.weight",
        *(f'{STATIC}["wrong{index}"]' for index in range(3)),
    }


def test_more_violations_than_an_answer_carries_are_counted(shared_api: Api) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        shared_api.client.create_tuning_job(with_unknown(spec_of(), 60))
    listed = len(caught.value.violations)
    assert listed >= 10
    assert f"and 55 more ({60 - listed} not listed)" in caught.value.message


def test_long_values_do_not_drown_the_answer(shared_api: Api) -> None:
    spec = with_unknown(hrnn_spec_of("job", *((f"channel{index}", "/é" * 500) for index in range(20))), 40, "ü" * 100)
    with pytest.raises(InvalidRequestError) as caught:
        shared_api.client.create_tuning_job(spec)
    assert caught.value.violations
    for violation in caught.value.violations:
        assert violation.description.startswith("got 'ü"), "what was given"
        assert violation.description.endswith(list(ALGORITHM.defaults())[-1]), "the end of what is allowed"


@pytest.mark.parametrize("call", ["get_tuning_job", "get_training_job", "get_algorithm", "stop_tuning_job"])
def test_a_very_long_name_is_not_found(shared_api: Api, call: str) -> None:
    with pytest.raises(NotFoundError):
        getattr(shared_api.client, call)(LONG)


@pytest.mark.parametrize("call", ["get_tuning_job", "get_training_job", "get_algorithm", "stop_training_job"])
def test_a_nul_in_a_name_is_a_violation_on_every_database(api_on_each_database: Api, call: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        getattr(api_on_each_database.client, call)("a\0b")
    assert [item.field for item in caught.value.violations] == ["name"]


@pytest.mark.parametrize("method", sorted(_METHODS))
def test_a_nul_in_any_text_of_any_request_is_refused_on_every_database(api_on_each_database: Api, method: str) -> None:
    streams, call = _METHODS[method].server_streaming, getattr(api_on_each_database.stub, method)
    for message in each_changed(empty(_METHODS[method].input_type), "a\0b"):
        with pytest.raises(grpc.RpcError) as caught:
            list(call(message, timeout=20)) if streams else call(message, timeout=20)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT, message


@pytest.mark.parametrize("number", [-1, 99])
@pytest.mark.parametrize("method", sorted(_METHODS))
def test_an_unknown_number_of_any_enum_of_any_request_is_a_violation(shared_api: Api, method: str, number: int) -> None:
    streams, call = _METHODS[method].server_streaming, getattr(shared_api.stub, method)
    base = empty(_METHODS[method].input_type)
    if method == "CreateTuningJob":
        spec = spec_of()
        definitions = spec["training_job_definitions"] * 2
        spec["training_job_definitions"] = [own | {"definition_name": f"d{at}"} for at, own in enumerate(definitions)]
        base = pb.CreateTuningJobRequest(tuning_job=ParseDict(spec, tuning_job_pb2.TuningJobSpec()))
    for message in each_changed(base, number):
        with pytest.raises(grpc.RpcError) as caught:
            list(call(message, timeout=20)) if streams else call(message, timeout=20)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT, message


def test_a_nul_in_a_filter_is_a_violation_on_every_database(api_on_each_database: Api) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        list(api_on_each_database.client.list_metrics("job-001", metric_names=["score", "a\0b"]))
    assert [item.field for item in caught.value.violations] == ["metric_names[1]"]


@pytest.mark.parametrize("cursor", [[], [1, 2, 3], [None], [{"a": 1}], [["a"]], ["yesterday", "x"]])
@pytest.mark.parametrize("order", pb.TuningJobOrder.values()[1:])
def test_a_page_token_with_a_changed_position_is_refused(api: Api, order: int, cursor: list[Any]) -> None:
    for name in ("a", "b"):
        api.client.create_tuning_job(spec_of(name))
    request = pb.ListTuningJobsRequest(page_size=1, order_by=order)  # type: ignore[arg-type]
    token = api.stub.ListTuningJobs(request).next_page_token
    document = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    request.page_token = base64.urlsafe_b64encode(json.dumps([document[0], cursor]).encode()).decode()
    with pytest.raises(grpc.RpcError) as caught:
        api.stub.ListTuningJobs(request)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert caught.value.details().startswith("page_token")


@pytest.mark.parametrize("time", [Timestamp(seconds=10**15), Timestamp(seconds=-(10**15)), Timestamp(nanos=-5)])
@pytest.mark.parametrize("field", ["created_after", "created_before", "updated_after", "updated_before"])
def test_a_time_beyond_the_calendar_is_a_violation(shared_api: Api, field: str, time: Timestamp) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        shared_api.stub.ListTuningJobs(pb.ListTuningJobsRequest(**{field: time}))  # type: ignore[arg-type]
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert caught.value.details().startswith(field)


def test_a_request_id_that_is_no_uuid_is_a_violation(shared_api: Api) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        shared_api.client.create_tuning_job(spec_of(), request_id="again")
    (violation,) = caught.value.violations
    assert violation.field == "request_id"
    assert "got 'again'" in violation.description


def test_an_unknown_json_field_is_named_before_anything_is_sent(shared_api: Api) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        shared_api.client.create_tuning_job(spec_of(strategi="STRATEGY_RANDOM"))
    (violation,) = caught.value.violations
    assert violation.field == "strategi"
    assert "strategy" in violation.description


def test_validating_tells_of_a_taken_name(api: Api) -> None:
    api.client.create_tuning_job(spec_of("job"))
    with pytest.raises(AlreadyExistsError) as caught:
        api.client.create_tuning_job(spec_of("JOB"), validate_only=True)
    assert caught.value.reason == "NAME_TAKEN"


def test_validating_tells_of_a_used_up_quota(tmp_path: Path, sqlite_store: Store) -> None:
    with running_api(tmp_path, sqlite_store, max_tuning_jobs_in_progress=1) as api:
        api.client.create_tuning_job(spec_of("a"))
        with pytest.raises(ResourceExhaustedError, match="1 tuning jobs are in progress; allowed: 1"):
            api.client.create_tuning_job(spec_of("b"), validate_only=True)


def test_a_time_filter_at_the_end_of_the_calendar_is_accepted(shared_api: Api) -> None:
    assert list(shared_api.client.list_tuning_jobs(created_after=datetime(9999, 12, 31, tzinfo=UTC))) == []


def test_readiness_waits_for_the_schema(tmp_path: Path, database_url: str) -> None:
    store = Store(database_url)  # its schema comes later, as when the migration runs beside the API
    with running_api(tmp_path, store) as api, grpc.insecure_channel(api.server.address) as channel:
        health = health_pb2_grpc.HealthStub(channel)

        def status() -> int:
            try:
                return int(health.Check(health_pb2.HealthCheckRequest(service=SERVICE)).status)
            except grpc.RpcError:  # before the first look at the database
                return int(health_pb2.HealthCheckResponse.UNKNOWN)

        wait_until(lambda: status() == health_pb2.HealthCheckResponse.NOT_SERVING, message="not ready")
        migrate(database_url)
        wait_until(lambda: status() == health_pb2.HealthCheckResponse.SERVING, message="ready")
    store.close()
