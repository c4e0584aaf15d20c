"""A change to one tuning job: the only way in which a tuning job, its training jobs and its event log are written.

It keeps what must hold at every commit: counters equal a recount, the best training job equals a recomputation, each
event has its own revision, and nothing is written twice. It needs the tuning job's row lock, which `Transaction.change`
takes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from hrnn_tuner.domain.checkpoint import Checkpoint
from hrnn_tuner.domain.training_job import TrainingJob
from hrnn_tuner.domain.trial import Trial
from hrnn_tuner.domain.tuning_job import TuningJob
from hrnn_tuner.store import codec
from hrnn_tuner.store.events import Event, EventKind, EventRepository
from hrnn_tuner.store.leftovers import LeftoverRepository
from hrnn_tuner.store.training_jobs import MetricPoint, MetricRepository, TrainingJobRepository
from hrnn_tuner.store.tuning_jobs import TuningJobRepository


class JobChange:
    """Collects the changes of one transaction to one tuning job; `write` stores them."""

    def __init__(
        self,
        job: TuningJob,
        now: datetime,
        tuning_jobs: TuningJobRepository,
        training_jobs: TrainingJobRepository,
        metrics: MetricRepository,
        events: EventRepository,
        leftovers: LeftoverRepository,
        *,
        new: bool,
    ) -> None:
        """Takes the locked job; `Transaction.change` and `Transaction.create` are the ways to get one."""
        self.job = job
        self.now = now
        #: The training jobs that ended with an objective value in this change, in order.
        self.valued: list[TrainingJob] = []
        self._before: TuningJob | None = None if new else job
        self._tuning_jobs = tuning_jobs
        self._training_jobs = training_jobs
        self._metrics = metrics
        self._events = events
        self._leftovers = leftovers
        self._log: list[tuple[EventKind, dict[str, Any]]] = []
        self._known: dict[int, TrainingJob] = {}
        self._new: list[int] = []
        self._dirty: set[int] = set()
        self._points: list[tuple[int, MetricPoint, dict[str, Any]]] = []

    def training_job(self, number: int) -> TrainingJob | None:
        """A training job with the changes made here so far."""
        if number not in self._known:
            self.preload([number])
        return self._known.get(number)

    def preload(self, numbers: Collection[int]) -> None:
        """Reads training jobs that will be asked for, all at once."""
        missing = [number for number in numbers if number not in self._known]
        self._known.update({job.number: job for job in self._training_jobs.numbered(self.job.id, missing)})

    def trials(self, *, after: int = 0) -> list[tuple[str, Trial]]:
        """Training jobs behind a number as a strategy sees them, with the changes made here; see the repository's."""
        stored = {trial.number: (name, trial) for name, trial in self._training_jobs.trials(self.job.id, after=after)}
        for number in (number for number in (*self._dirty, *self._new) if number > after):
            job = self._known[number]
            trial = Trial.of(number, job.proposal, job.secondary, job.final_objective)
            stored[number] = (job.definition_name, trial)
        return [stored[number] for number in sorted(stored)]

    @property
    def launched_before(self) -> int:
        """How many training jobs were launched, and committed, before this change."""
        return 0 if self._before is None else self._before.counters.launched

    def active(self) -> list[TrainingJob]:
        """The training jobs that hold a place, by number, with the changes made here so far."""
        stored = {job.number: job for job in self._training_jobs.active(self.job.id)}
        latest = {**stored, **{number: self._known[number] for number in (*self._new, *self._dirty)}}
        return [job for _, job in sorted(latest.items()) if job.active]

    def launch(self, training_job: TrainingJob) -> None:
        """Adds a training job."""
        self._known[training_job.number] = training_job
        self._new.append(training_job.number)
        self.job = replace(self.job, counters=self.job.counters.moved(None, training_job))
        self._log.append((EventKind.TRAINING_JOB, codec.training_job_to_json(training_job)))

    def put(self, before: TrainingJob, after: TrainingJob) -> None:
        """Replaces a training job; does nothing when it did not change."""
        if after == before:
            return
        self._known[after.number] = after
        self._dirty.add(after.number)
        job = replace(self.job, counters=self.job.counters.moved(before, after))
        if not after.active and after.final_objective is not None:
            self.valued.append(after)
            job = job.with_best(after)
        if job.best_number != self.job.best_number:
            figures = {"value": after.final_objective or 0.0}
            if self.job.best_value is not None:
                figures["previous_value"] = self.job.best_value
            self.decide("BEST", after.number, "best objective value so far", figures)
        self.job = job
        self._log.append((EventKind.TRAINING_JOB, codec.training_job_to_json(after)))

    def renew_lease(self, training_job: TrainingJob) -> TrainingJob:
        """Its worker was heard of now; no event tells so."""
        renewed = replace(training_job, seen_at=self.now)
        self._known[renewed.number] = renewed
        self._dirty.add(renewed.number)
        return renewed

    def add_metrics(self, training_job: TrainingJob, points: Sequence[MetricPoint]) -> None:
        """Stores the points that are new."""
        body: dict[str, Any] = {
            "name": training_job.name,
            "number": training_job.number,
            "attempt": training_job.attempt,
            "points": [],  # filled when it is known which are new
        }
        self._log.append((EventKind.METRICS, body))
        self._points += [(training_job.number, point, body) for point in points]

    def rewind(self, training_job: TrainingJob, step: int) -> None:
        """Drops the points beyond a step, behind which a new attempt goes on; an event tells so if there were any."""
        number = training_job.number
        kept = [entry for entry in self._points if entry[0] != number or entry[1].step <= step]
        dropped = len(self._points) - len(kept)
        self._points = kept
        if self._metrics.drop_beyond(self.job.id, number, step) + dropped:
            body = {"name": training_job.name, "number": number, "attempt": training_job.attempt, "points": []}
            self._log.append((EventKind.METRICS, body | {"superseded_after": step}))

    def checkpoints_removed(self, training_job: TrainingJob) -> None:
        """Somebody sees to it that its checkpoints go; no event tells so."""
        self._known[training_job.number] = replace(training_job, leaves_checkpoints=False, checkpoint=None)
        self._dirty.add(training_job.number)

    def record_checkpoint(self, training_job: TrainingJob, checkpoint: Checkpoint | None) -> TrainingJob:
        """A checkpoint was confirmed, or None: the known one is of no use. No event tells so."""
        changed = (
            replace(training_job, checkpoint=None) if checkpoint is None else training_job.checkpointed(checkpoint)
        )
        self._known[changed.number] = changed
        self._dirty.add(changed.number)
        return changed

    def decide(self, kind: str, number: int, explanation: str, figures: Mapping[str, float] | None = None) -> None:
        """Adds an entry to the decision log; ``number`` is 0 for the tuning job itself."""
        body = {"kind": kind, "number": number, "explanation": explanation, "figures": dict(figures or {})}
        self._log.append((EventKind.DECISION, body))

    def trim_log(self, limit: int) -> bool:
        """Removes the oldest events, at once; the job says from where its log is complete, and no event tells so.

        Returns:
            Whether there were any.
        """
        last = self._leftovers.remove_events(self.job.id, limit=limit)
        if last is None:
            return False
        self.job = replace(self.job, log_starts_after=last)
        self._tuning_jobs.save(self.job)
        self._before = self.job
        return True

    @property
    def changed(self) -> bool:
        """Whether there is anything to write."""
        return bool(self._log) or self.job != self._before

    def write(self) -> None:
        """Ends the job when nothing is left to do, and writes its row and its events."""
        settled = self.job.settled(self.now)
        if settled.state.terminal and settled.state is not self.job.state:
            reason = settled.completion_reason
            text = settled.failure_reason or (reason.value if reason is not None else "stopped on request")
            self.decide(settled.state.value, 0, text)
        self.job = settled
        self.write_training_jobs()
        self.store_metrics()
        self._log = [
            (kind, body)
            for kind, body in self._log
            if kind is not EventKind.METRICS or body["points"] or "superseded_after" in body
        ]
        if not self.changed:
            return
        revision = self.job.revision
        if self.job != self._before:
            revision += len(self._log) + 1
            self.job = replace(self.job, updated_at=self.now, revision=revision)
            self._log.append((EventKind.TUNING_JOB, codec.status_to_json(self.job)))
        else:
            revision += len(self._log)
            self.job = replace(self.job, revision=revision)
        first = revision - len(self._log) + 1
        self._events.append(
            [Event(self.job.id, first + offset, kind, self.now, body) for offset, (kind, body) in enumerate(self._log)]
        )
        self._tuning_jobs.save(self.job)
        self._log.clear()
        self._before = self.job

    def store_metrics(self) -> list[tuple[int, MetricPoint]]:
        """Writes the metric points that were added so far, of training jobs that are stored already.

        Returns:
            Those that are new, with the number of their training job, in the order in which they were added.
        """
        inserted = self._metrics.add_new(self.job.id, [(number, point) for number, point, _ in self._points])
        fresh = []
        for number, point, body in self._points:
            if inserted.pop((number, point.step, point.metric), None) is not None:
                body["points"].append([point.metric, point.step, point.value])
                fresh.append((number, point))
        self._points.clear()
        return fresh

    def write_training_jobs(self) -> None:
        """Writes new and changed training jobs, so that queries find them as they are."""
        self._training_jobs.add([self._known[number] for number in self._new])
        self._training_jobs.save([self._known[number] for number in sorted(self._dirty - set(self._new))])
        self._new.clear()
        self._dirty.clear()
