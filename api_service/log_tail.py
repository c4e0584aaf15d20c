"""A tuning job's event log as messages, read once for all streams that watch it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from api_service.best import best_of, parents_of
from api_service.event_messages import EventMessages
from api_service.run_blocking import RunBlocking
from api_service.tokens import resume_token
from hrnn_tuner.domain.errors import OutOfRange
from hrnn_tuner.domain.training_job import TrainingJob
from hrnn_tuner.domain.tuning_job import TuningJob
from hrnn_tuner.store import EventKind, Store, Transaction, codec
from hrnn_tuner.v1 import tuning_service_pb2

#: Events read at a time; a stream holds no more than this, however slow its reader is.
PAGE_SIZE = 256
#: Pages that are kept for the streams that come behind; those that are further behind read the log again.
PAGES_KEPT = 4


@dataclass(frozen=True)
class Page:
    """Messages behind one revision, up to another.

    Attributes:
        after: The revision behind which it begins.
        revisions: One of each message, ascending.
        messages: As streams send them.
        ended: Whether nothing can follow.
    """

    after: int
    revisions: Sequence[int]
    messages: Sequence[tuning_service_pb2.WatchTuningJobResponse]
    ended: bool = False

    @property
    def until(self) -> int:
        """The revision of the last message."""
        return self.revisions[-1] if self.revisions else self.after

    def behind(self, revision: int) -> Page:
        """What of it lies behind a revision."""
        skipped = sum(item <= revision for item in self.revisions)
        return Page(revision, self.revisions[skipped:], self.messages[skipped:], self.ended)


class LogTail:
    """The pages that streams of one tuning job are about to send. Belongs to one event loop.

    However many streams there are, each event is read and converted once, as long as they keep up with each other.
    """

    def __init__(self, store: Store, run_blocking: RunBlocking, job: TuningJob) -> None:
        """Takes the tuning job as some stream found it; what it shows of it never changes."""
        self._store = store
        self._run_blocking = run_blocking
        self._job_id = job.id
        self._messages = EventMessages(job)
        self._pages: deque[Page] = deque(maxlen=PAGES_KEPT)
        self._best: TrainingJob | None = None
        self._prepared = False
        self._reading = asyncio.Lock()
        self._reads = 0  # that have begun
        self._end = 0  # revision of the log's last entry as of the last read
        self._over = False  # whether nothing follows it

    async def read(self, revision: int) -> Page | None:
        """The next messages behind a revision, without any if there are none yet; None when the job was deleted.

        Raises:
            OutOfRange: When events behind the revision were removed.
        """
        asked = self._reads
        kept = self._kept(revision)
        if kept is not None:
            return kept
        async with self._reading:
            kept = self._kept(revision)
            if kept is not None:
                return kept
            if self._reads > asked and revision >= self._end:  # somebody looked after this stream had asked
                return Page(revision, (), (), self._over)
            self._reads += 1
            page = await self._run_blocking(lambda: self._load(revision))
            if page is not None and page.messages:
                self._pages.append(page)
            return page

    def _kept(self, revision: int) -> Page | None:
        """A page that begins at a revision or before, and goes beyond it."""
        found = next((page for page in self._pages if page.after <= revision < page.until), None)
        return None if found is None else found.behind(revision)

    def _load(self, revision: int) -> Page | None:
        """Reads a page from the database; one at a time."""
        with self._store.read() as tx:
            bounds = tx.tuning_jobs.log_bounds(self._job_id)
            if bounds is None:
                return None
            self._end, self._over = bounds.end, bounds.over
            if revision < bounds.starts_after:
                oldest = resume_token(self._job_id, bounds.starts_after)
                text = "events behind this position were removed: go on from oldest_resume_token of the tuning job"
                raise OutOfRange(text, metadata={"oldest_resume_token": oldest})
            if revision >= self._end:
                return Page(revision, (), (), self._over)
            if not self._prepared:
                self._prepare(tx)
            events = tx.events.after(self._job_id, revision, limit=PAGE_SIZE)
            by_number = {} if self._best is None else {self._best.number: self._best}
            messages = []
            for event in events:
                if event.kind is EventKind.TRAINING_JOB:
                    shown = codec.training_job_from_json(self._job_id, event.body)
                    by_number[shown.number] = shown
                if event.kind is EventKind.TUNING_JOB:
                    number = event.body["best_number"]
                    if number is not None:
                        self._best = by_number.get(number) or tx.training_jobs.get(self._job_id, number)
                messages.append(self._messages.of(event, self._best))
        revisions = [event.revision for event in events]
        return Page(revision, revisions, messages, self._over and revisions[-1:] == [self._end])

    def _prepare(self, tx: Transaction) -> None:
        """Reads what is needed to show events in full, once."""
        job = tx.tuning_jobs.get(self._job_id)
        assert job is not None, "its revision was read in this snapshot"
        self._messages.parents = parents_of(tx, job)
        self._best = best_of(tx, job).own
        self._prepared = True

    def token(self, revision: int) -> str:
        """Position behind a revision."""
        return resume_token(self._job_id, revision)
