"""The RPCs: parse, one call, convert."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor
from datetime import UTC, datetime
from typing import TypeAlias, TypeVar

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from api_service import to_proto
from api_service.access.caller import caller
from api_service.explaining import Explanations
from api_service.explaining.convert import response as explained
from api_service.hints import JobHints
from api_service.tokens import page_cursor, page_token
from api_service.training_jobs import TrainingJobs
from api_service.tuning_jobs import TuningJobs
from api_service.validation import message_rules, secret_text
from api_service.watching import Watcher
from hrnn_tuner.algorithms import AlgorithmRegistry
from hrnn_tuner.domain.clock import Clock
from hrnn_tuner.domain.errors import InvalidRequest, NotFound, Violation
from hrnn_tuner.domain.states import TrainingJobState, TuningJobState
from hrnn_tuner.failpoints import failpoint
from hrnn_tuner.store import TrainingJobOrder, TuningJobOrder, TuningJobQuery
from hrnn_tuner.v1 import training_job_pb2, tuning_job_pb2, tuning_service_pb2_grpc
from hrnn_tuner.v1 import tuning_service_pb2 as pb

Result = TypeVar("Result")
Context: TypeAlias = grpc.aio.ServicerContext

DEFAULT_PAGE_SIZE = 10
DEFAULT_METRICS_PAGE_SIZE = 100
DEFAULT_EXPLANATION_PAGE_SIZE = 100
DEFAULT_LOG_PAGE_SIZE = 100
#: The cursor before the first line: attempts count from 1.
LOG_START = (0, 0)

_TUNING_ORDERS = {
    pb.TUNING_JOB_ORDER_UNSPECIFIED: TuningJobOrder.NAME,
    pb.TUNING_JOB_ORDER_NAME: TuningJobOrder.NAME,
    pb.TUNING_JOB_ORDER_STATE: TuningJobOrder.STATE,
    pb.TUNING_JOB_ORDER_CREATE_TIME: TuningJobOrder.CREATE_TIME,
}
_TRAINING_ORDERS = {
    pb.TRAINING_JOB_ORDER_UNSPECIFIED: TrainingJobOrder.NUMBER,
    pb.TRAINING_JOB_ORDER_NAME: TrainingJobOrder.NUMBER,
    pb.TRAINING_JOB_ORDER_CREATE_TIME: TrainingJobOrder.NUMBER,
    pb.TRAINING_JOB_ORDER_STATE: TrainingJobOrder.STATE,
    pb.TRAINING_JOB_ORDER_FINAL_OBJECTIVE_VALUE: TrainingJobOrder.FINAL_OBJECTIVE_VALUE,
}


class TuningServicer(tuning_service_pb2_grpc.TuningServiceServicer):
    """The service. Everything that blocks runs on the database threads; errors are mapped by the interceptor."""

    def __init__(
        self,
        *,
        tuning_jobs: TuningJobs,
        training_jobs: TrainingJobs,
        explanations: Explanations,
        watcher: Watcher,
        hints: JobHints,
        algorithms: AlgorithmRegistry,
        executor: Executor,
        creators: Executor,
        explainers: Executor,
        clock: Clock,
    ) -> None:
        """Takes the use cases; threads for the database, for creations, which may wait for files, and to explain."""
        self._tuning_jobs = tuning_jobs
        self._training_jobs = training_jobs
        self._explanations = explanations
        self._watcher = watcher
        self._hints = hints
        self._algorithms = algorithms
        self._executor = executor
        self._creators = creators
        self._explainers = explainers
        self._clock = clock

    async def _blocking(self, call: Callable[[], Result]) -> Result:
        """Runs a blocking call on the database threads."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, call)

    async def CreateTuningJob(self, request: pb.CreateTuningJobRequest, _: Context) -> pb.CreateTuningJobResponse:
        """See the contract."""
        loop, project = asyncio.get_running_loop(), caller().project
        job, best, new = await loop.run_in_executor(
            self._creators, contextvars.copy_context().run, self._tuning_jobs.create, project, request
        )
        if new:
            self._hints.changed(job.id)
        shown = to_proto.tuning_job(job, best, self._clock())
        return pb.CreateTuningJobResponse(tuning_job=shown, warnings=job.warnings)

    async def GetTuningJob(self, request: pb.GetTuningJobRequest, _: Context) -> pb.GetTuningJobResponse:
        """See the contract."""
        message_rules.check(request)
        project = caller().project
        job, best = await self._blocking(lambda: self._tuning_jobs.get(project, request.name))
        return pb.GetTuningJobResponse(tuning_job=to_proto.tuning_job(job, best, self._clock()))

    async def ListTuningJobs(self, request: pb.ListTuningJobsRequest, _: Context) -> pb.ListTuningJobsResponse:
        """See the contract."""
        message_rules.check(request)
        query, cursor = _tuning_job_query(caller().project, request), page_cursor(request)
        limit = request.page_size if request.HasField("page_size") else DEFAULT_PAGE_SIZE
        page, best = await self._blocking(lambda: self._tuning_jobs.page(query, after=cursor, limit=limit))
        now = self._clock()
        return pb.ListTuningJobsResponse(
            tuning_jobs=[to_proto.tuning_job(job, best[job.id], now, definitions=False) for job in page.rows],
            next_page_token=page_token(request, page.next),
        )

    async def StopTuningJob(self, request: pb.StopTuningJobRequest, _: Context) -> pb.StopTuningJobResponse:
        """See the contract."""
        message_rules.check(request)
        project = caller().project
        job, best = await self._blocking(lambda: self._tuning_jobs.stop(project, request.name))
        failpoint("api.stop.committed")
        self._hints.changed(job.id)
        return pb.StopTuningJobResponse(tuning_job=to_proto.tuning_job(job, best, self._clock()))

    async def DeleteTuningJob(self, request: pb.DeleteTuningJobRequest, _: Context) -> pb.DeleteTuningJobResponse:
        """See the contract."""
        message_rules.check(request)
        project = caller().project
        self._hints.changed(await self._blocking(lambda: self._tuning_jobs.delete(project, request.name)))
        return pb.DeleteTuningJobResponse()

    async def WatchTuningJob(
        self, request: pb.WatchTuningJobRequest, _: Context
    ) -> AsyncIterator[pb.WatchTuningJobResponse]:
        """See the contract."""
        message_rules.check(request)
        async for response in self._watcher.watch(caller().project, request.name, request.resume_token):
            yield response

    async def ExplainTuningJob(self, request: pb.ExplainTuningJobRequest, _: Context) -> pb.ExplainTuningJobResponse:
        """See the contract."""
        message_rules.check(request)
        project = caller().project
        cursor = page_cursor(request)
        limit = request.page_size if request.HasField("page_size") else DEFAULT_EXPLANATION_PAGE_SIZE
        loop = asyncio.get_running_loop()
        explanation = await loop.run_in_executor(
            self._explainers, lambda: self._explanations.explain(project, request.name, after=cursor, limit=limit)
        )
        return explained(explanation, page_token(request, explanation.page.next))

    async def GetTrainingJob(self, request: pb.GetTrainingJobRequest, _: Context) -> pb.GetTrainingJobResponse:
        """See the contract."""
        message_rules.check(request)
        project = caller().project
        job, tuning_job_name = await self._blocking(lambda: self._training_jobs.get(project, request.name))
        return pb.GetTrainingJobResponse(training_job=to_proto.training_job(job, tuning_job_name))

    async def ListTrainingJobs(self, request: pb.ListTrainingJobsRequest, _: Context) -> pb.ListTrainingJobsResponse:
        """See the contract."""
        message_rules.check(request)
        project = caller().project
        cursor = page_cursor(request)
        page, name = await self._blocking(
            lambda: self._training_jobs.page(
                project,
                request.tuning_job_name,
                order=_TRAINING_ORDERS[request.order_by],
                descending=request.descending,
                state=_training_job_state(request.state),
                after=cursor,
                limit=request.page_size if request.HasField("page_size") else DEFAULT_PAGE_SIZE,
            )
        )
        shown = [to_proto.training_job(job, name) for job in page.rows]
        return pb.ListTrainingJobsResponse(training_jobs=shown, next_page_token=page_token(request, page.next))

    async def StopTrainingJob(self, request: pb.StopTrainingJobRequest, _: Context) -> pb.StopTrainingJobResponse:
        """See the contract."""
        message_rules.check(request)
        project = caller().project
        job, tuning_job_name = await self._blocking(lambda: self._training_jobs.stop(project, request.name))
        self._hints.changed(job.tuning_job_id)
        return pb.StopTrainingJobResponse(training_job=to_proto.training_job(job, tuning_job_name))

    async def ListMetrics(self, request: pb.ListMetricsRequest, _: Context) -> pb.ListMetricsResponse:
        """See the contract."""
        message_rules.check(request)
        project = caller().project
        cursor = page_cursor(request)
        limit = request.page_size if request.HasField("page_size") else DEFAULT_METRICS_PAGE_SIZE
        names = list(request.metric_names)
        page = await self._blocking(
            lambda: self._training_jobs.metrics(
                project, request.training_job_name, names=names, after=cursor, limit=limit
            )
        )
        points = [to_proto.metric_point(point) for point in page.rows]
        return pb.ListMetricsResponse(points=points, next_page_token=page_token(request, page.next))

    async def ListTrainingJobLogs(
        self, request: pb.ListTrainingJobLogsRequest, _: Context
    ) -> pb.ListTrainingJobLogsResponse:
        """See the contract."""
        message_rules.check(request)
        project = caller().project
        cursor = page_cursor(request)
        limit = request.page_size if request.HasField("page_size") else DEFAULT_LOG_PAGE_SIZE
        attempt = request.attempt or None
        page = await self._blocking(
            lambda: self._training_jobs.log(
                project, request.training_job_name, attempt=attempt, after=cursor, limit=limit
            )
        )
        last = (page.rows[-1].attempt, page.rows[-1].position) if page.rows else cursor or LOG_START
        return pb.ListTrainingJobLogsResponse(
            lines=map(to_proto.log_line, page.rows),
            next_page_token=page_token(request, page.next),
            resume_token=page_token(request, last),
        )

    async def ListAlgorithms(self, _request: pb.ListAlgorithmsRequest, _: Context) -> pb.ListAlgorithmsResponse:
        """See the contract."""
        return pb.ListAlgorithmsResponse(algorithms=[to_proto.algorithm(item) for item in self._algorithms.values()])

    async def GetAlgorithm(self, request: pb.GetAlgorithmRequest, _: Context) -> pb.GetAlgorithmResponse:
        """See the contract."""
        message_rules.check(request)
        item = self._algorithms.get(request.name)
        if item is None:
            known = ", ".join(self._algorithms)
            raise NotFound(f"there is no algorithm named {request.name!r}; there are: {known}")
        return pb.GetAlgorithmResponse(algorithm=to_proto.algorithm(item))

    async def TagResource(self, request: pb.TagResourceRequest, _: Context) -> pb.TagResourceResponse:
        """See the contract."""
        secret_text.refuse(request)
        message_rules.check(request)
        project = caller().project
        job = await self._blocking(
            lambda: self._tuning_jobs.tag(project, request.tuning_job_name, dict(request.tags), [])
        )
        self._hints.changed(job.id)
        return pb.TagResourceResponse(tags=dict(job.tags))

    async def UntagResource(self, request: pb.UntagResourceRequest, _: Context) -> pb.UntagResourceResponse:
        """See the contract."""
        message_rules.check(request)
        project = caller().project
        keys = list(request.tag_keys)
        job = await self._blocking(lambda: self._tuning_jobs.tag(project, request.tuning_job_name, {}, keys))
        self._hints.changed(job.id)
        return pb.UntagResourceResponse(tags=dict(job.tags))


def _time(message: pb.ListTuningJobsRequest, field: str) -> datetime | None:
    """A time filter, if it is set.

    Raises:
        InvalidRequest: When it is no time.
    """
    if not message.HasField(field):
        return None
    value: Timestamp = getattr(message, field)
    try:
        return value.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        text = f"got {value.seconds} s and {value.nanos} ns; allowed: a time in the years 1 to 9999"
        raise InvalidRequest([Violation(field, text)]) from error


def _tuning_job_query(project: str, request: pb.ListTuningJobsRequest) -> TuningJobQuery:
    """The filters and the order of a list request."""
    state = tuning_job_pb2.TuningJobState.Name(request.state).removeprefix("TUNING_JOB_STATE_")
    return TuningJobQuery(
        project,
        order=_TUNING_ORDERS[request.order_by],
        descending=request.descending,
        name_contains=request.name_contains or None,
        state=None if state == "UNSPECIFIED" else TuningJobState(state),
        created_after=_time(request, "created_after"),
        created_before=_time(request, "created_before"),
        updated_after=_time(request, "updated_after"),
        updated_before=_time(request, "updated_before"),
    )


def _training_job_state(number: int) -> TrainingJobState | None:
    """A state filter."""
    name = training_job_pb2.TrainingJobState.Name(number).removeprefix("TRAINING_JOB_STATE_")
    return None if name == "UNSPECIFIED" else TrainingJobState(name)
