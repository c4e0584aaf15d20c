"""Builds the requests that both clients send."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypedDict

from hrnn_tuner.client.specification import SpecInput, parse_request
from hrnn_tuner.v1.training_job_pb2 import TrainingJobState
from hrnn_tuner.v1.tuning_job_pb2 import TuningJobState
from hrnn_tuner.v1.tuning_service_pb2 import (
    CreateTuningJobRequest,
    ExplainTuningJobRequest,
    ExplainTuningJobResponse,
    ListMetricsRequest,
    ListTrainingJobLogsRequest,
    ListTrainingJobsRequest,
    ListTuningJobsRequest,
    TrainingJobOrder,
    TuningJobOrder,
)

#: The largest pages that the service gives: a listing takes the fewest calls.
PAGE_SIZE = 100
METRICS_PAGE_SIZE = 1000
EXPLANATION_PAGE_SIZE = 1000
LOG_PAGE_SIZE = 500


class TuningJobFilter(TypedDict, total=False):
    """Keyword arguments of ``list_tuning_jobs``; enums also by name. All filters must match.

    Attributes:
        order_by: Order; default by name.
        descending: Whether the order is reversed.
        name_contains: Only names that contain this, without regard to case.
        state: Only jobs in this state.
        created_after: Only jobs created after this; naive times are UTC, as in protobuf.
        created_before: Only jobs created before this.
        updated_after: Only jobs changed after this.
        updated_before: Only jobs changed before this.
    """

    order_by: TuningJobOrder | str
    descending: bool
    name_contains: str
    state: TuningJobState | str
    created_after: datetime
    created_before: datetime
    updated_after: datetime
    updated_before: datetime


class TrainingJobFilter(TypedDict, total=False):
    """Keyword arguments of ``list_training_jobs``; enums also by name.

    Attributes:
        order_by: Order; default by number.
        descending: Whether the order is reversed.
        state: Only training jobs in this state.
    """

    order_by: TrainingJobOrder | str
    descending: bool
    state: TrainingJobState | str


def create_request(
    spec: SpecInput | CreateTuningJobRequest, request_id: str | None, validate_only: bool
) -> CreateTuningJobRequest:
    """A request that may be sent any number of times: it always has a request id.

    Raises:
        InvalidRequestError: When the specification cannot be read.
    """
    request = parse_request(spec)
    request.request_id = request_id or request.request_id or str(uuid.uuid4())
    request.validate_only = validate_only or request.validate_only
    return request


def tuning_jobs_request(filters: TuningJobFilter) -> ListTuningJobsRequest:
    """The first page's request."""
    return ListTuningJobsRequest(page_size=PAGE_SIZE, **filters)


def training_jobs_request(tuning_job_name: str, filters: TrainingJobFilter) -> ListTrainingJobsRequest:
    """The first page's request."""
    return ListTrainingJobsRequest(tuning_job_name=tuning_job_name, page_size=PAGE_SIZE, **filters)


def metrics_request(training_job_name: str, metric_names: Sequence[str]) -> ListMetricsRequest:
    """The first page's request."""
    return ListMetricsRequest(
        training_job_name=training_job_name, page_size=METRICS_PAGE_SIZE, metric_names=list(metric_names)
    )


def log_request(training_job_name: str, attempt: int, resume_token: str) -> ListTrainingJobLogsRequest:
    """The request of the page behind a token."""
    return ListTrainingJobLogsRequest(
        training_job_name=training_job_name, attempt=attempt, page_size=LOG_PAGE_SIZE, page_token=resume_token
    )


def explain_request(name: str) -> ExplainTuningJobRequest:
    """The first page's request."""
    return ExplainTuningJobRequest(name=name, page_size=EXPLANATION_PAGE_SIZE)


def joined(pages: Iterable[ExplainTuningJobResponse]) -> ExplainTuningJobResponse:
    """All pages of an explanation as one answer."""
    whole = ExplainTuningJobResponse()
    for page in pages:
        whole.MergeFrom(page)  # appends what is repeated
    whole.ClearField("next_page_token")
    return whole
