"""What must hold at every revision of a tuning job's event log, checked event by event."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from hrnn_tuner.domain.objective import best_number
from hrnn_tuner.domain.states import SECONDARY_TRANSITIONS, SecondaryState, TrainingJobState, TuningJobState
from hrnn_tuner.domain.training_job import TrainingJob
from hrnn_tuner.domain.tuning_job import Counters, TuningJob
from hrnn_tuner.store import Event, EventKind, codec


def recount(jobs: Iterable[TrainingJob]) -> Counters:
    """The counters that these training jobs give."""
    counters = Counters()
    for job in jobs:
        counters = counters.moved(None, job)
    return counters


class EventLogChecker:
    """Invariants 1 to 5, 7, 11 and 12 of the design, at every revision that it is given.

    Attributes:
        revision: The last revision seen.
        status: The tuning job as its last event told; None before the first.
        training_jobs: The training jobs by number, as their last events told.
        points: The metric points by number, metric and step: one curve for all attempts of a training job.
        retried: Number of attempts that were lost and followed by another.
    """

    def __init__(self, job: TuningJob) -> None:
        self._job = job
        self._stopped = False
        self._stopped_early: dict[int, int] = {}  # the last attempt by number
        self.revision = 0
        self.status: TuningJob | None = None
        self.training_jobs: dict[int, TrainingJob] = {}
        self.points: dict[tuple[int, str, int], float] = {}
        self.retried = 0

    def feed(self, events: Iterable[Event]) -> None:
        """Checks the next events.

        Raises:
            AssertionError: When one of them breaks an invariant.
        """
        for event in events:
            assert event.revision == self.revision + 1, "revisions follow each other without a gap"
            self.revision = event.revision
            match event.kind:
                case EventKind.TRAINING_JOB:
                    self._training_job(codec.training_job_from_json(self._job.id, event.body))
                case EventKind.TUNING_JOB:
                    self._status(codec.status_from_json(self._job, event.body, event.revision))
                case EventKind.METRICS:
                    self._metrics(event)
                case EventKind.DECISION:
                    self._decision(event)

    def _training_job(self, job: TrainingJob) -> None:
        where = f"{job.name} at revision {self.revision}"
        before = self.training_jobs.get(job.number)
        if before is None:
            assert not self._stopped, f"{where}: launched after the end was decided"
            assert job.number == len(self.training_jobs) + 1, f"{where}: numbers follow each other"
        else:
            if not before.active:  # all that can happen is that its model was kept long enough
                assert replace(before, artifact_uri="") == job, f"{where}: changed after its end"
                self.training_jobs[job.number] = job
                return
            assert job.attempt - before.attempt in {0, 1}, f"{where}: attempt {before.attempt} became {job.attempt}"
            if job.secondary is not before.secondary:
                assert job.secondary in SECONDARY_TRANSITIONS[before.secondary], f"{where}: {before.secondary}"
            if job.attempt == before.attempt and before.worker_id:
                assert (job.worker_id, job.token) == (before.worker_id, before.token), f"{where}: another worker's"
            assert job.hyperparameters == before.hyperparameters, f"{where}: other hyperparameters"
        if not job.active:
            self._end(job, where)
        if job.artifact_uri:
            assert job.artifact_uri.endswith(f"/{job.name}/attempt-{job.attempt}"), f"{where}: {job.artifact_uri}"
        self.training_jobs[job.number] = job
        limits = self._job.spec.limits
        active = sum(item.active for item in self.training_jobs.values())
        assert active <= limits.max_parallel, f"{where}: {active} of {limits.max_parallel} parallel training jobs"
        assert job.number <= limits.max_training_jobs, f"{where}: beyond {limits.max_training_jobs} training jobs"

    def _end(self, job: TrainingJob, where: str) -> None:
        early = job.secondary is SecondaryState.EARLY_STOPPED
        if early:
            assert job.number in self._stopped_early, f"{where}: stopped early without a decision"
        completed = early or job.state is TrainingJobState.COMPLETED
        assert not completed or bool(job.stopping_rule) == early, f"{where}: {job.stopping_rule!r}"
        assert (job.final_objective is not None) == (job.artifact_uri != ""), f"{where}: an objective value has a model"
        with_model = job.secondary in {
            SecondaryState.COMPLETED,
            SecondaryState.EARLY_STOPPED,
            SecondaryState.MAX_RUNTIME_EXCEEDED,
        }
        assert with_model or job.final_objective is None, f"{where}: an objective value though it was stopped"

    def _decision(self, event: Event) -> None:
        self.retried += event.body["kind"] == "RETRIED"
        if event.body["kind"] == "EARLY_STOPPED":
            number = event.body["number"]
            attempt = self.training_jobs[number].attempt
            assert self._stopped_early.get(number) != attempt, f"training job {number} is stopped early twice"
            assert event.body["figures"], "a decision shows its figures"
            self._stopped_early[number] = attempt

    def _status(self, status: TuningJob) -> None:
        where = f"{self._job.spec.name} at revision {self.revision}"
        jobs = self.training_jobs.values()
        assert status.counters == recount(jobs), f"{where}: counters"
        finals = [(job.number, job.final_objective) for job in jobs]
        assert status.best_number == best_number(self._job.spec.objective, finals), f"{where}: best"
        if self.status is not None and self.status.state.terminal:
            assert status.state in {self.status.state, TuningJobState.DELETING}, f"{where}: changed after its end"
        if status.state.terminal:
            assert status.counters.in_progress == 0, f"{where}: ended with active training jobs"
        self._stopped = not status.launching
        self.status = status

    def _metrics(self, event: Event) -> None:
        number, attempt = event.body["number"], event.body["attempt"]
        job = self.training_jobs[number]
        where = f"{job.name} at revision {self.revision}"
        assert job.attempt == attempt, f"{where}: metrics of attempt {attempt}, current is {job.attempt}"
        after = event.body.get("superseded_after")
        if after is not None:
            self.points = {key: value for key, value in self.points.items() if key[0] != number or key[2] <= after}
        for metric, step, value in event.body["points"]:
            key = (number, metric, step)
            assert key not in self.points, f"{where}: {metric} of step {step} twice"
            self.points[key] = value
