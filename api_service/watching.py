"""Streams a tuning job's event log from any position."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, contextmanager

from api_service import to_proto
from api_service.hints import JobHints
from api_service.log_tail import LogTail
from api_service.run_blocking import RunBlocking
from api_service.tokens import resume_revision
from api_service.tuning_jobs import find
from api_service.watch_places import WatchPlaces
from hrnn_tuner.domain.clock import Clock
from hrnn_tuner.domain.errors import ServiceUnavailable
from hrnn_tuner.domain.tuning_job import TuningJob
from hrnn_tuner.store import Store
from hrnn_tuner.v1 import tuning_service_pb2

POLL_S = 1.0
#: Looks at the database by all streams together, in the absence of hints: with more streams each looks less often.
POLLS_PER_S = 100.0
HEARTBEAT_S = 20.0


class Watcher:
    """Opens streams. Those of one tuning job share the hints and what is read; each goes at its own pace."""

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
        self._tails: dict[str, tuple[LogTail, int]] = {}  # with the number of streams

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
            OutOfRange: When the token is ahead of the log, or events behind it were removed.
            ServiceUnavailable: When the server drains.
        """
        with self._places.one(project):
            async with aclosing(self._watch(project, name, token)) as responses:  # its place in the tail ends with ours
                async for response in responses:
                    yield response

    async def _watch(
        self, project: str, name: str, token: str
    ) -> AsyncGenerator[tuning_service_pb2.WatchTuningJobResponse, None]:
        """The events, once there is a place for the stream."""
        job = await self._run_blocking(lambda: self._find(project, name))
        revision = resume_revision(token, job.id, job.revision)
        changed = asyncio.Event()
        with self._tail(job) as tail, self._listening(job.id, changed):
            silent_s = 0.0
            while True:
                changed.clear()  # before reading: what happens during it is not forgotten
                page = await tail.read(revision)
                if page is None:
                    deleted = tuning_service_pb2.TuningJobDeleted()
                    yield self._own(tail.token(revision), deleted=deleted)
                    return
                for response in page.messages:
                    silent_s = 0.0
                    yield response
                revision = page.until
                if page.ended:
                    return
                if self._draining.is_set():  # however much is left to send: a drain does not wait for slow readers
                    metadata = {"resume_token": tail.token(revision)}
                    raise ServiceUnavailable("the server is shutting down: resume elsewhere", metadata=metadata)
                if page.messages:
                    continue
                if silent_s >= self._heartbeat_s:
                    silent_s = 0.0
                    yield self._own(tail.token(revision), heartbeat=tuning_service_pb2.WatchHeartbeat())
                silent_s += await self._wait(changed, min(self._poll_s(), self._heartbeat_s))

    @contextmanager
    def _tail(self, job: TuningJob) -> Iterator[LogTail]:
        """What the streams of a tuning job share, as long as there is one."""
        tail, streams = self._tails.get(job.id) or (LogTail(self._store, self._run_blocking, job), 0)
        self._tails[job.id] = (tail, streams + 1)
        try:
            yield tail
        finally:
            _, streams = self._tails.pop(job.id)
            if streams > 1:
                self._tails[job.id] = (tail, streams - 1)

    @contextmanager
    def _listening(self, tuning_job_id: str, changed: asyncio.Event) -> Iterator[None]:
        """Has an event set with each hint."""
        self._hints.listen(tuning_job_id, changed)
        try:
            yield
        finally:
            self._hints.unlisten(tuning_job_id, changed)

    def _poll_s(self) -> float:
        """Seconds after which a stream without a hint looks for itself."""
        return max(POLL_S, self._places.used / POLLS_PER_S)

    def _find(self, project: str, name: str) -> TuningJob:
        """Reads the tuning job."""
        with self._store.read() as tx:
            return find(tx, project, name)

    def _own(
        self,
        token: str,
        *,
        heartbeat: tuning_service_pb2.WatchHeartbeat | None = None,
        deleted: tuning_service_pb2.TuningJobDeleted | None = None,
    ) -> tuning_service_pb2.WatchTuningJobResponse:
        """A message that is not in the log."""
        time = to_proto.timestamp(self._clock())
        return tuning_service_pb2.WatchTuningJobResponse(
            resume_token=token, time=time, heartbeat=heartbeat, deleted=deleted
        )

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
