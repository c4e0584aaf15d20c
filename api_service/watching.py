"""Streams a tuning job's event log from any position."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from api_service import to_proto
from api_service.best import best_of, parents_of, with_parents
from api_service.hints import JobHints
from api_service.run_blocking import RunBlocking
from api_service.tokens import resume_revision, resume_token
from api_service.tuning_jobs import find
from api_service.watch_places import WatchPlaces
from hrnn_tuner.domain.clock import Clock
from hrnn_tuner.domain.errors import ServiceUnavailable
from hrnn_tuner.domain.training_job import TrainingJob
from hrnn_tuner.domain.tuning_job import TuningJob
from hrnn_tuner.store import Event, EventKind, Store, StoredParent, codec
from hrnn_tuner.v1 import training_job_pb2, tuning_service_pb2

#: Events read at a time; a stream holds no more than this, however slow its reader is.
PAGE_SIZE = 256
POLL_S = 1.0
#: Looks at the database by all streams together, in the absence of hints: with more streams each looks less often.
POLLS_PER_S = 100.0
HEARTBEAT_S = 20.0


class Watcher:
    """Opens streams. All of them share the hints; each reads at its own pace."""

    def __init__(
        self,
        store: Store,
        hints: JobHints,
        run_blocking: RunBlocking,
        clock: Clock,
        places: WatchPlaces,
        *,
        heartbeat_s: float = HEARTBEAT_S,
    ) -> None:
        """Takes what streams work with; ``heartbeat_s`` is the longest silence."""
        self._store = store
        self._hints = hints
        self._run_blocking = run_blocking
        self._clock = clock
        self._places = places
        self._heartbeat_s = heartbeat_s
        self._draining = asyncio.Event()

    def drain(self) -> None:
        """Ends all streams with UNAVAILABLE; their clients come back to another replica with their tokens."""
        self._draining.set()

    async def watch(
        self, project: str, name: str, token: str
    ) -> AsyncIterator[tuning_service_pb2.WatchTuningJobResponse]:
        """Yields every event behind a token, until the job has ended or is gone.

        Raises:
            NotFound: When the project has no such tuning job.
            LimitExceeded: When there are as many streams as may be.
            InvalidRequest: When the token is not one of this job's.
            OutOfRange: When the token is ahead of the log.
            ServiceUnavailable: When the server drains.
        """
        with self._places.one(project):
            async for response in self._watch(project, name, token):
                yield response

    async def _watch(
        self, project: str, name: str, token: str
    ) -> AsyncIterator[tuning_service_pb2.WatchTuningJobResponse]:
        """The events, once there is a place for the stream."""
        job = await self._run_blocking(lambda: self._find(project, name))
        stream = _Stream(self._store, self._clock, job, resume_revision(token, job.id, job.revision))
        changed = asyncio.Event()
        self._hints.listen(job.id, changed)
        try:
            silent_s = 0.0
            while True:
                changed.clear()  # before reading: what happens during it is not forgotten
                page = await self._run_blocking(stream.read)
                for response in page:
                    silent_s = 0.0
                    yield response
                if stream.ended:
                    return
                if self._draining.is_set():  # however much is left to send: a drain does not wait for slow readers
                    metadata = {"resume_token": stream.token}
                    raise ServiceUnavailable("the server is shutting down: resume elsewhere", metadata=metadata)
                if page:
                    continue
                if silent_s >= self._heartbeat_s:
                    silent_s = 0.0
                    yield stream.heartbeat()
                silent_s += await self._wait(changed, min(self._poll_s(), self._heartbeat_s))
        finally:
            self._hints.unlisten(job.id, changed)

    def _poll_s(self) -> float:
        """Seconds after which a stream without a hint looks for itself."""
        return max(POLL_S, self._places.used / POLLS_PER_S)

    def _find(self, project: str, name: str) -> TuningJob:
        """Reads the tuning job."""
        with self._store.read() as tx:
            return find(tx, project, name)

    async def _wait(self, changed: asyncio.Event, longest_s: float) -> float:
        """Waits for a hint, a drain or the time; returns how long."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        waits = [asyncio.ensure_future(changed.wait()), asyncio.ensure_future(self._draining.wait())]
        try:
            await asyncio.wait(waits, timeout=longest_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        return loop.time() - began


class _Stream:
    """The position of one stream and what it needs to show events in full. `read` runs on one thread at a time."""

    def __init__(self, store: Store, clock: Clock, job: TuningJob, revision: int) -> None:
        self._store = store
        self._clock = clock
        self._job = job
        self._revision = revision
        self._best: TrainingJob | None = None
        self._parents: list[StoredParent] | None = None  # which nothing changes
        self.ended = False

    @property
    def token(self) -> str:
        """Position behind what was read."""
        return resume_token(self._job.id, self._revision)

    def heartbeat(self) -> tuning_service_pb2.WatchTuningJobResponse:
        """A sign of life."""
        return tuning_service_pb2.WatchTuningJobResponse(
            resume_token=self.token,
            time=to_proto.timestamp(self._clock()),
            heartbeat=tuning_service_pb2.WatchHeartbeat(),
        )

    def read(self) -> list[tuning_service_pb2.WatchTuningJobResponse]:
        """The next page of events; sets ``ended`` when nothing can follow."""
        with self._store.read() as tx:
            current = tx.tuning_jobs.get(self._job.id)
            if current is None:
                self.ended = True
                return [self._deleted()]
            events = tx.events.after(self._job.id, self._revision, limit=PAGE_SIZE)
            if self._parents is None:
                self._parents = parents_of(tx, current)
            if self._best is None:
                self._best = best_of(tx, current).own
            by_number = {self._best.number: self._best} if self._best is not None else {}
            responses = []
            for event in events:
                if event.kind is EventKind.TRAINING_JOB:
                    shown = codec.training_job_from_json(self._job.id, event.body)
                    by_number[shown.number] = shown
                if event.kind is EventKind.TUNING_JOB:
                    number = event.body["best_number"]
                    if number is not None:
                        self._best = by_number.get(number) or tx.training_jobs.get(self._job.id, number)
                responses.append(self._response(event))
                self._revision = event.revision
        self.ended = current.state.terminal and self._revision >= current.revision
        return responses

    def _deleted(self) -> tuning_service_pb2.WatchTuningJobResponse:
        """The last event of a deleted job."""
        return tuning_service_pb2.WatchTuningJobResponse(
            resume_token=self.token,
            time=to_proto.timestamp(self._clock()),
            deleted=tuning_service_pb2.TuningJobDeleted(),
        )

    def _response(self, event: Event) -> tuning_service_pb2.WatchTuningJobResponse:
        """An event as a message."""
        response = tuning_service_pb2.WatchTuningJobResponse(
            resume_token=resume_token(event.tuning_job_id, event.revision), time=to_proto.timestamp(event.at)
        )
        body = event.body
        match event.kind:
            case EventKind.TUNING_JOB:
                job = codec.status_from_json(self._job, body, event.revision)
                best = self._best if job.best_number is not None else None
                shown_best = with_parents(job, best, self._parents or ())
                response.tuning_job.CopyFrom(to_proto.tuning_job(job, shown_best, event.at))
            case EventKind.TRAINING_JOB:
                shown = codec.training_job_from_json(event.tuning_job_id, body)
                response.training_job.CopyFrom(to_proto.training_job(shown, self._job.spec.name))
            case EventKind.METRICS:
                response.metrics.training_job_name = body["name"]
                if "superseded_after" in body:
                    response.metrics.superseded_after = body["superseded_after"]
                response.metrics.points.extend(
                    training_job_pb2.MetricPoint(
                        metric_name=metric,
                        step=step,
                        value=value,
                        attempt=body["attempt"],
                        time=to_proto.timestamp(event.at),
                    )
                    for metric, step, value in body["points"]
                )
            case EventKind.DECISION:
                response.decision.CopyFrom(
                    tuning_service_pb2.Decision(
                        kind=body["kind"],
                        training_job_number=body["number"],
                        explanation=body["explanation"],
                        figures=body["figures"],
                    )
                )
        return response
