"""The client for threads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Self, Unpack

import grpc

from hrnn_tuner.client import requests
from hrnn_tuner.client.connection import Connection
from hrnn_tuner.client.errors import NotFoundError, error_from_rpc
from hrnn_tuner.client.requests import TrainingJobFilter, TuningJobFilter
from hrnn_tuner.client.retry import RetryPolicy
from hrnn_tuner.client.specification import SpecInput
from hrnn_tuner.client.watching import WatchCursor, is_terminal, require_same
from hrnn_tuner.v1 import tuning_service_pb2 as pb
from hrnn_tuner.v1.algorithm_pb2 import Algorithm
from hrnn_tuner.v1.training_job_pb2 import MetricPoint, TrainingJob
from hrnn_tuner.v1.tuning_job_pb2 import TuningJob


class TuningClient:
    """Calls the tuning service; safe to share between threads.

    Every method raises a `TuningError`. Calls that the server cannot serve now are sent again, a bounded number of
    times with jittered pauses; each call as a whole ends within ``timeout_s``.

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
        self._connection = Connection(target, credentials, timeout_s, self._retry, token)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection; calls in progress fail."""
        self._connection.close()

    def create_tuning_job(
        self,
        spec: SpecInput | pb.CreateTuningJobRequest,
        *,
        request_id: str | None = None,
        validate_only: bool = False,
    ) -> pb.CreateTuningJobResponse:
        """Starts a tuning job, or only checks it.

        Args:
            spec: A `TuningJobSpec` or `CreateTuningJobRequest`, or its proto JSON as a dict or text.
            request_id: A UUID; the same one with the same job is one job, however often it is sent. Default: a new one.
            validate_only: Checks everything and stores nothing.

        Returns:
            The tuning job with every default filled in, and warnings.
        """
        request = requests.create_request(spec, request_id, validate_only)
        return self._connection.call(request, pb.CreateTuningJobResponse)

    def get_tuning_job(self, name: str) -> TuningJob:
        """Reads a tuning job."""
        return self._connection.call(pb.GetTuningJobRequest(name=name), pb.GetTuningJobResponse).tuning_job

    def list_tuning_jobs(self, **filters: Unpack[TuningJobFilter]) -> Iterator[TuningJob]:
        """Iterates over all tuning jobs that match, fetching pages as they are needed; see `TuningJobFilter`."""
        request = requests.tuning_jobs_request(filters)
        return (job for page in self._connection.pages(request, pb.ListTuningJobsResponse) for job in page.tuning_jobs)

    def stop_tuning_job(self, name: str) -> TuningJob:
        """Asks a tuning job to stop; `wait` for the end."""
        return self._connection.call(pb.StopTuningJobRequest(name=name), pb.StopTuningJobResponse).tuning_job

    def delete_tuning_job(self, name: str) -> None:
        """Deletes the records of an ended tuning job; its artifacts stay."""
        try:
            self._connection.call(pb.DeleteTuningJobRequest(name=name), pb.DeleteTuningJobResponse)
        except NotFoundError as error:
            if error.attempts == 1:
                raise
            # An earlier attempt deleted it and its answer was lost.

    def watch_tuning_job(
        self,
        name: str,
        *,
        resume_token: str = "",
        max_unavailable_s: float | None = 60.0,
        timeout_s: float | None = None,
    ) -> Iterator[pb.WatchTuningJobResponse]:
        """Iterates over everything that happens to a tuning job until it has ended; reconnects by itself.

        Args:
            name: Name of the tuning job.
            resume_token: Of a `TuningJob` or an earlier event; empty for everything since the creation.
            max_unavailable_s: Longest time without the server before `UnavailableError`; None for no limit.
            timeout_s: Longest time in all before `DeadlineExceededError`; None for no limit.

        Yields:
            Events, each once and in order; heartbeats are left out.
        """
        cursor = WatchCursor(
            name, resume_token, policy=self._retry, max_unavailable_s=max_unavailable_s, timeout_s=timeout_s
        )
        while True:
            stream = self._connection.watch(cursor.request(), cursor.remaining_s())
            try:
                for event in stream:
                    if cursor.accept(event):
                        yield event
                return
            except grpc.RpcError as error:
                delay_s = cursor.delay_after(error_from_rpc(error))
            finally:
                stream.cancel()  # ends the server's side when the caller leaves the loop early
            self._connection.pause(delay_s)

    def wait(self, name: str, timeout_s: float | None = None, *, max_unavailable_s: float | None = 60.0) -> TuningJob:
        """Waits for the end of a tuning job and returns it; `DeadlineExceededError` after ``timeout_s``."""
        job = self.get_tuning_job(name)
        if is_terminal(job):
            return job
        for _ in self.watch_tuning_job(
            name, resume_token=job.resume_token, max_unavailable_s=max_unavailable_s, timeout_s=timeout_s
        ):
            pass
        return require_same(self.get_tuning_job(name), job)

    def explain_tuning_job(self, name: str) -> pb.ExplainTuningJobResponse:
        """Reads what a tuning job's search has learnt, and why each of its training jobs was proposed: all pages."""
        request = requests.explain_request(name)
        return requests.joined(self._connection.pages(request, pb.ExplainTuningJobResponse))

    def get_training_job(self, name: str) -> TrainingJob:
        """Reads a training job."""
        return self._connection.call(pb.GetTrainingJobRequest(name=name), pb.GetTrainingJobResponse).training_job

    def list_training_jobs(self, tuning_job_name: str, **filters: Unpack[TrainingJobFilter]) -> Iterator[TrainingJob]:
        """Iterates over the training jobs of a tuning job; see `TrainingJobFilter`."""
        request = requests.training_jobs_request(tuning_job_name, filters)
        return (
            job for page in self._connection.pages(request, pb.ListTrainingJobsResponse) for job in page.training_jobs
        )

    def stop_training_job(self, name: str) -> TrainingJob:
        """Asks one training job to stop; the tuning job goes on."""
        return self._connection.call(pb.StopTrainingJobRequest(name=name), pb.StopTrainingJobResponse).training_job

    def list_metrics(self, training_job_name: str, *, metric_names: Sequence[str] = ()) -> Iterator[MetricPoint]:
        """Iterates over the metric points of a training job in order of attempt, step and name."""
        request = requests.metrics_request(training_job_name, metric_names)
        return (point for page in self._connection.pages(request, pb.ListMetricsResponse) for point in page.points)

    def list_training_job_logs(
        self, training_job_name: str, *, attempt: int = 0, resume_token: str = ""
    ) -> Iterator[pb.ListTrainingJobLogsResponse]:
        """Iterates over the log of a training job, page by page, to what is its end now.

        Args:
            training_job_name: Name of the training job.
            attempt: Only this attempt; 0 for all.
            resume_token: ``resume_token`` of an earlier page with the same attempt, to go on behind it.

        Yields:
            Pages; at least one, also of an empty log, so that there is a ``resume_token``.
        """
        request = requests.log_request(training_job_name, attempt, resume_token)
        return self._connection.pages(request, pb.ListTrainingJobLogsResponse)

    def list_algorithms(self) -> Sequence[Algorithm]:
        """Reads the algorithms of the installation."""
        return self._connection.call(pb.ListAlgorithmsRequest(), pb.ListAlgorithmsResponse).algorithms

    def get_algorithm(self, name: str) -> Algorithm:
        """Reads one algorithm: hyperparameters, metrics and data channels."""
        return self._connection.call(pb.GetAlgorithmRequest(name=name), pb.GetAlgorithmResponse).algorithm

    def tag_tuning_job(self, name: str, tags: Mapping[str, str]) -> dict[str, str]:
        """Adds or overwrites tags; returns all tags after the change."""
        return dict(
            self._connection.call(pb.TagResourceRequest(tuning_job_name=name, tags=tags), pb.TagResourceResponse).tags
        )

    def untag_tuning_job(self, name: str, tag_keys: Iterable[str]) -> dict[str, str]:
        """Removes tags; returns those that are left."""
        request = pb.UntagResourceRequest(tuning_job_name=name, tag_keys=tag_keys)
        return dict(self._connection.call(request, pb.UntagResourceResponse).tags)
