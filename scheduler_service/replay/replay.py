"""Follows the event log of a tuning job from its first revision to its last."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hrnn_tuner.domain.access import DEFAULT_PROJECT
from hrnn_tuner.domain.errors import OutOfRange
from hrnn_tuner.domain.objective import best_number
from hrnn_tuner.domain.training_job import TrainingJob
from hrnn_tuner.domain.tuning_job import TuningJob
from hrnn_tuner.store import Event, EventKind, Store, codec
from scheduler_service.early_stopping import MedianActivation
from scheduler_service.proposing.parents import read_parents
from scheduler_service.replay import proposals
from scheduler_service.replay.known import Known
from scheduler_service.replay.stops import Stops
from scheduler_service.strategies import ParentTrials

_PAGE = 1000


@dataclass
class Replayed:
    """What came of it.

    Attributes:
        events: Entries of the log.
        proposals: Proposals that were made again.
        stops: Early stops that were decided again.
        selections: How often another training job became the best.
        differences: What does not follow, with its revision; empty when everything does.
    """

    events: int = 0
    proposals: int = 0
    stops: int = 0
    selections: int = 0
    differences: list[str] = field(default_factory=list)


class Replay:
    """Makes every decision of one log again.

    Args:
        job: The tuning job as it is now.
        parents: What its warm-start parents found out.
        activation: The operator's settings of the median rule, as they were.
    """

    def __init__(self, job: TuningJob, parents: tuple[ParentTrials, ...], activation: MedianActivation) -> None:
        self._job = job
        self._parents = parents
        self._known = Known()
        self._stops = Stops(job.spec, activation, self._known)
        self._best: int | None = None
        self._status: TuningJob | None = None
        self.found = Replayed()

    def feed(self, event: Event) -> None:
        """Takes the next entry."""
        self.found.events += 1
        if event.revision != self.found.events:
            self._differs(event, f"revision {self.found.events} is missing")
            self.found.events = event.revision
        match event.kind:
            case EventKind.TRAINING_JOB:
                self._training_job(event, codec.training_job_from_json(self._job.id, event.body))
            case EventKind.METRICS:
                if "superseded_after" in event.body:
                    self._stops.rewind(event.body["number"], event.body["superseded_after"])
                self._stops.points(event.body["number"], event.body["points"])
            case EventKind.DECISION if event.body["kind"] == "EARLY_STOPPED":
                self.found.stops += 1
                problem = self._stops.difference(event.body["number"], event.body["figures"])
                if problem is not None:
                    self._differs(event, f"the stop of training job {event.body['number']}: {problem}")
            case EventKind.TUNING_JOB:
                self._selection(event, codec.status_from_json(self._job, event.body, event.revision))

    def finish(self) -> Replayed:
        """Compares the end of the log with the tuning job."""
        job, status = self._job, self._status
        if status is None or (status.state, status.counters, status.best_number) != (
            job.state,
            job.counters,
            job.best_number,
        ):
            self.found.differences.append("the tuning job is not what the end of its log says")
        return self.found

    def _training_job(self, event: Event, job: TrainingJob) -> None:
        """A training job was launched or has changed."""
        if job.number not in self._known:
            self.found.proposals += 1
            problem = proposals.difference(self._job.spec, self._parents, self._known, job)
            if problem is not None:
                self._differs(event, f"training job {job.number}: {problem}")
        self._known.add(event.revision, job)

    def _selection(self, event: Event, status: TuningJob) -> None:
        """The best one follows from all objective values."""
        finals = [(job.number, job.final_objective) for job in self._known.all()]
        best = best_number(self._job.spec.objective, finals)
        if status.best_number != best:
            self._differs(event, f"the best is training job {status.best_number}; of all values it is {best}")
        self.found.selections += status.best_number is not None and status.best_number != self._best
        self._best, self._status = status.best_number, status

    def _differs(self, event: Event, text: str) -> None:
        self.found.differences.append(f"revision {event.revision}: {text}")


def replay(
    store: Store,
    name: str,
    activation: MedianActivation,
    progress: Callable[[int, int], None] = lambda *_: None,
    *,
    project: str = DEFAULT_PROJECT,
) -> Replayed | None:
    """Makes every decision of a tuning job again, from its event log alone.

    Args:
        store: The database.
        name: Of the tuning job.
        activation: The operator's settings of the median rule, as they were when the tuning job ran.
        progress: Called now and then with the last revision that was followed and the number of all.
        project: The tuning job's.

    Returns:
        What came of it; None when there is no such tuning job.

    Raises:
        OutOfRange: When the log was removed, or a part of it.
    """
    with store.read() as tx:
        job = tx.tuning_jobs.by_name(project, name)
        if job is None:
            return None
        if job.log_starts_after:
            raise OutOfRange(f"the event log of {name} was removed up to revision {job.log_starts_after}")
        parents = read_parents(tx, job)
    run = Replay(job, parents, activation)
    while run.found.events < job.revision:
        with store.read() as tx:
            page = tx.events.after(job.id, run.found.events, limit=_PAGE)
        for event in page:
            if event.revision <= job.revision:
                run.feed(event)
                progress(run.found.events, job.revision)
        if not page:
            run.found.differences.append(f"the log ends at revision {run.found.events} of {job.revision}")
            break
    return run.finish()
