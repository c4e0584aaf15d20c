from __future__ import annotations

import grpc
import pytest
from google.rpc import error_details_pb2

from hrnn_tuner.client import (
    AlreadyExistsError,
    FailedPreconditionError,
    InvalidRequestError,
    NotFoundError,
    NotImplementedByServerError,
    PermissionDeniedError,
    ResourceExhaustedError,
    ServerError,
    TuningClient,
    TuningError,
    UnavailableError,
    Violation,
)
from tests.unit.client.canned import spec
from tests.unit.client.fake_service import FakeService, Refusal, bad_request


def test_all_violations_are_decoded_with_reason_and_metadata(service: FakeService, client: TuningClient) -> None:
    details = [
        bad_request(tuning_job__name="too long", tuning_job__weight="got 0; allowed: 1 to 1000"),
        error_details_pb2.ErrorInfo(reason="INVALID_SPECIFICATION", domain="hrnn_tuner", metadata={"name": "demo"}),
    ]
    service.answers("CreateTuningJob", Refusal(grpc.StatusCode.INVALID_ARGUMENT, "2 violations", details))
    with pytest.raises(InvalidRequestError) as caught:
        client.create_tuning_job(spec())
    error = caught.value
    assert error.code is grpc.StatusCode.INVALID_ARGUMENT
    assert error.reason == "INVALID_SPECIFICATION"
    assert error.metadata == {"name": "demo"}
    assert error.violations == (
        Violation("tuning_job.name", "too long"),
        Violation("tuning_job.weight", "got 0; allowed: 1 to 1000"),
    )
    assert "tuning_job.weight: got 0" in str(error)


def test_preconditions_are_decoded(service: FakeService, client: TuningClient) -> None:
    failure = error_details_pb2.PreconditionFailure.Violation(subject="state", description="is IN_PROGRESS")
    details = [error_details_pb2.PreconditionFailure(violations=[failure])]
    service.answers("DeleteTuningJob", Refusal(grpc.StatusCode.FAILED_PRECONDITION, "not now", details))
    with pytest.raises(FailedPreconditionError) as caught:
        client.delete_tuning_job("demo")
    assert caught.value.violations == (Violation("state", "is IN_PROGRESS"),)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (grpc.StatusCode.INVALID_ARGUMENT, InvalidRequestError),
        (grpc.StatusCode.OUT_OF_RANGE, InvalidRequestError),
        (grpc.StatusCode.UNIMPLEMENTED, NotImplementedByServerError),
        (grpc.StatusCode.NOT_FOUND, NotFoundError),
        (grpc.StatusCode.ALREADY_EXISTS, AlreadyExistsError),
        (grpc.StatusCode.FAILED_PRECONDITION, FailedPreconditionError),
        (grpc.StatusCode.UNAUTHENTICATED, PermissionDeniedError),
        (grpc.StatusCode.PERMISSION_DENIED, PermissionDeniedError),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, ResourceExhaustedError),
        (grpc.StatusCode.UNAVAILABLE, UnavailableError),
        (grpc.StatusCode.INTERNAL, ServerError),
        (grpc.StatusCode.DATA_LOSS, ServerError),
    ],
)
def test_each_status_has_its_error(
    service: FakeService, client: TuningClient, code: grpc.StatusCode, error: type[TuningError]
) -> None:
    service.answers("GetTuningJob", Refusal(code, "why"))
    with pytest.raises(TuningError) as caught:
        client.get_tuning_job("demo")
    assert type(caught.value) is error
    assert caught.value.message == "why"
    assert caught.value.code is code
