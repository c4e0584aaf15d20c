"""The client for asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Self, Unpack

import grpc

from hrnn_tuner.client import requests
from hrnn_tuner.client.aio_connection import AioConnection
from hrnn_tuner.client.errors import NotFoundError, error_from_rpc
from hrnn_tuner.client.requests import TrainingJobFilter, TuningJobFilter
from hrnn_tuner.client.retry import RetryPolicy
from hrnn_tuner.client.specification import SpecInput
from hrnn_tuner.client.watching import WatchCursor, is_terminal, require_same
from hrnn_tuner.v1 import tuning_service_pb2 as pb
from hrnn_tuner.v1.algorithm_pb2 import Algorithm
from hrnn_tuner.v1.training_job_pb2 import MetricPoint, TrainingJob
from hrnn_tuner.v1.tuning_job_pb2 import TuningJob


class AsyncTuningClient:
    """Calls the tuning service from asyncio; the twin of `TuningClient`, whose docstrings hold here too.

    Construct it in the event loop that uses it.

    Args:
        target: host:port of the server.
        credentials: `tls_credentials(...)` or the like; None for a connection that is not encrypted.
        timeout_s: Deadline of each call but `watch_tuning_job`, retries included.
        retry: Bounds of retries.
        token: Of `hrnn-tuner token create`, for a server that asks who is calling.

    Raises:
        ValueError: When the token would go over a network in plaintext.
    """

    def __init__(
        self,
        target: str = "127.0.0.1:50051",
        credentials: grpc.ChannelCredentials | None = None,
        timeout_s: float = 30.0,
        *,
        retry: RetryPolicy | None = None,
        token: str | None = None,
    ) -> None:
        self._retry = retry or RetryPolicy()
        self._connection = AioConnection(target, credentials, timeout_s, self._retry, token)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connection; calls in progress fail."""
        await self._connection.close()

    async def create_tuning_job(
        self,
        spec: SpecInput | pb.CreateTuningJobRequest,
        *,
        request_id: str | None = None,
        validate_only: bool = False,
    ) -> pb.CreateTuningJobResponse:
        """Starts a tuning job, or only checks it."""
        request = requests.create_request(spec, request_id, validate_only)
        return await self._connection.call(request, pb.CreateTuningJobResponse)

    async def get_tuning_job(self, name: str) -> TuningJob:
        """Reads a tuning job."""
        return (await self._connection.call(pb.GetTuningJobRequest(name=name), pb.GetTuningJobResponse)).tuning_job

    async def list_tuning_jobs(self, **filters: Unpack[TuningJobFilter]) -> AsyncIterator[TuningJob]:
        """Iterates over all tuning jobs that match, fetching pages as they are needed."""
        async for page in self._connection.pages(requests.tuning_jobs_request(filters), pb.ListTuningJobsResponse):
            for job in page.tuning_jobs:
                yield job

    async def stop_tuning_job(self, name: str) -> TuningJob:
        """Asks a tuning job to stop; `wait` for the end."""
        return (await self._connection.call(pb.StopTuningJobRequest(name=name), pb.StopTuningJobResponse)).tuning_job

    async def delete_tuning_job(self, name: str) -> None:
        """Deletes the records of an ended tuning job; its artifacts stay."""
        try:
            await self._connection.call(pb.DeleteTuningJobRequest(name=name), pb.DeleteTuningJobResponse)
        except NotFoundError as error:
            if error.attempts == 1:
                raise
            # An earlier attempt deleted it and its answer was lost.

    async def watch_tuning_job(
        self,
        name: str,
        *,
        resume_token: str = "",
        max_unavailable_s: float | None = 60.0,
        timeout_s: float | None = None,
    ) -> AsyncIterator[pb.WatchTuningJobResponse]:
        """Iterates over everything that happens to a tuning job until it has ended; reconnects by itself."""
        cursor = WatchCursor(
            name, resume_token, policy=self._retry, max_unavailable_s=max_unavailable_s, timeout_s=timeout_s
        )
        while True:
            stream = self._connection.watch(cursor.request(), cursor.remaining_s())
            try:
                async for event in stream:
                    if cursor.accept(event):
                        yield event
                return
            except grpc.RpcError as error:
                delay_s = cursor.delay_after(error_from_rpc(error))
            finally:
                stream.cancel()  # ends the server's side when the caller leaves the loop early
            await asyncio.sleep(delay_s)

    async def wait(
        self, name: str, timeout_s: float | None = None, *, max_unavailable_s: float | None = 60.0
    ) -> TuningJob:
        """Waits for the end of a tuning job and returns it; `DeadlineExceededError` after ``timeout_s``."""
        job = await self.get_tuning_job(name)
        if is_terminal(job):
            return job
        async for _ in self.watch_tuning_job(
            name, resume_token=job.resume_token, max_unavailable_s=max_unavailable_s, timeout_s=timeout_s
        ):
            pass
        return require_same(await self.get_tuning_job(name), job)

    async def explain_tuning_job(self, name: str) -> pb.ExplainTuningJobResponse:
        """Reads what a tuning job's search has learnt, and why each of its training jobs was proposed: all pages."""
        request = requests.explain_request(name)
        return requests.joined([page async for page in self._connection.pages(request, pb.ExplainTuningJobResponse)])

    async def get_training_job(self, name: str) -> TrainingJob:
        """Reads a training job."""
        request = pb.GetTrainingJobRequest(name=name)
        return (await self._connection.call(request, pb.GetTrainingJobResponse)).training_job

    async def list_training_jobs(
        self, tuning_job_name: str, **filters: Unpack[TrainingJobFilter]
    ) -> AsyncIterator[TrainingJob]:
        """Iterates over the training jobs of a tuning job."""
        request = requests.training_jobs_request(tuning_job_name, filters)
        async for page in self._connection.pages(request, pb.ListTrainingJobsResponse):
            for job in page.training_jobs:
                yield job

    async def stop_training_job(self, name: str) -> TrainingJob:
        """Asks one training job to stop; the tuning job goes on."""
        request = pb.StopTrainingJobRequest(name=name)
        return (await self._connection.call(request, pb.StopTrainingJobResponse)).training_job

    async def list_metrics(
        self, training_job_name: str, *, metric_names: Sequence[str] = ()
    ) -> AsyncIterator[MetricPoint]:
        """Iterates over the metric points of a training job in order of attempt, step and name."""
        request = requests.metrics_request(training_job_name, metric_names)
        async for page in self._connection.pages(request, pb.ListMetricsResponse):
            for point in page.points:
                yield point

    def list_training_job_logs(
        self, training_job_name: str, *, attempt: int = 0, resume_token: str = ""
    ) -> AsyncIterator[pb.ListTrainingJobLogsResponse]:
        """Iterates over the log of a training job, page by page, to what is its end now."""
        request = requests.log_request(training_job_name, attempt, resume_token)
        return self._connection.pages(request, pb.ListTrainingJobLogsResponse)

    async def list_algorithms(self) -> Sequence[Algorithm]:
        """Reads the algorithms of the installation."""
        return (await self._connection.call(pb.ListAlgorithmsRequest(), pb.ListAlgorithmsResponse)).algorithms

    async def get_algorithm(self, name: str) -> Algorithm:
        """Reads one algorithm: hyperparameters, metrics and data channels."""
        return (await self._connection.call(pb.GetAlgorithmRequest(name=name), pb.GetAlgorithmResponse)).algorithm

    async def tag_tuning_job(self, name: str, tags: Mapping[str, str]) -> dict[str, str]:
        """Adds or overwrites tags; returns all tags after the change."""
        request = pb.TagResourceRequest(tuning_job_name=name, tags=tags)
        return dict((await self._connection.call(request, pb.TagResourceResponse)).tags)

    async def untag_tuning_job(self, name: str, tag_keys: Iterable[str]) -> dict[str, str]:
        """Removes tags; returns those that are left."""
        request = pb.UntagResourceRequest(tuning_job_name=name, tag_keys=tag_keys)
        return dict((await self._connection.call(request, pb.UntagResourceResponse)).tags)
