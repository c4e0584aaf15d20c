"""The thread that has expensive proposals made, before a slot needs them where that helps."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import structlog

from hrnn_tuner.domain.errors import ServiceUnavailable
from hrnn_tuner.domain.training_job import Proposal
from hrnn_tuner.domain.trial import TrialStatus
from hrnn_tuner.domain.tuning_job import TuningJob
from hrnn_tuner.store import Store
from scheduler_service.proposing.prepared import Prepared, Progress, Ready
from scheduler_service.proposing.strategy_process import StrategyFailed, StrategyProcess
from scheduler_service.strategies import History, RandomStrategy
from scheduler_service.wakeup import Wakeup

_LOG = structlog.get_logger(__name__)
_JOIN_TIMEOUT_S = 10.0
#: A process that nobody asks for this long is ended, which gives its memory back.
_IDLE_S = 300.0
#: Who asks is in a transaction that is about to be committed; this is how long its commit is waited for.
_COMMIT_WAIT_S = 1.0
_COMMIT_POLL_S = 0.005
_RETRY_S = 1.0


class Proposer:
    """Prepares proposals of strategies that are expensive; what it keeps can be made again at any time.

    Thread-safe.
    """

    def __init__(self, store: Store, planning: Wakeup) -> None:
        """Takes the database, and what wakes the planning of launches."""
        self._store = store
        self._planning = planning
        self._process = StrategyProcess()
        self._prepared: dict[str, Prepared] = {}
        self._wanted: dict[str, tuple[Progress, int]] = {}
        self._changed = threading.Condition()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="scheduler-proposer", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread and the process."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._process.stop()  # also what it is working on
        self._thread.join(_JOIN_TIMEOUT_S)

    def take(self, job: TuningJob, count: int) -> Ready | None:
        """Proposals for the next training jobs of a locked tuning job, if they are ready.

        Returns:
            Up to ``count``; None while they are made, after which planning is woken.
        """
        progress = Progress.of(job)
        with self._changed:
            prepared, ready = self._prepared.get(job.id), None
            if prepared is not None:
                self._prepared[job.id], ready = prepared.take(progress, count)
            if ready is None:
                self._want(job, progress, count)
            elif not ready.exhausted:
                found = len(ready.proposals)
                ahead = prepared is not None and not prepared.worth_waiting
                if ahead or found < count:
                    self._want(job, Progress(progress.launched + found, progress.ended), max(1, count - found))
        return ready

    def expect(self, job: TuningJob, launched: int) -> None:
        """Has the first expensive proposal made ahead, as soon as this transaction's launches are committed.

        Args:
            job: The locked tuning job.
            launched: How many training jobs it will have launched by then.
        """
        with self._changed:
            self._want(job, Progress(launched, Progress.of(job).ended), 1)

    def _want(self, job: TuningJob, progress: Progress, count: int) -> None:
        """Notes what is wanted, unless there can be no more training jobs; the caller holds the lock."""
        count = min(count, job.spec.limits.max_training_jobs - progress.launched)
        if count > 0:
            self._wanted[job.id] = (progress, count)
            self._changed.notify_all()

    def _run(self) -> None:
        """Works until stopped."""
        while True:
            with self._changed:
                if not self._wanted and not self._stopped and not self._changed.wait_for(self._has_work, _IDLE_S):
                    self._process.stop()
                    self._prepared.clear()
                    self._changed.wait_for(self._has_work)
                if self._stopped:
                    return
                tuning_job_id = next(iter(self._wanted))
                progress, count = self._wanted.pop(tuning_job_id)
            try:
                self._prepare(tuning_job_id, progress, count)
            except ServiceUnavailable as error:
                _LOG.warning("database is away", thread=self._thread.name, error=str(error))
                time.sleep(_RETRY_S)
            except Exception:  # noqa: BLE001 - a thread of a service must outlive any single failure
                _LOG.exception("unexpected error", thread=self._thread.name)
                time.sleep(_RETRY_S)
            self._planning.set()

    def _has_work(self) -> bool:
        """Whether there is something to do."""
        return self._stopped or bool(self._wanted)

    def _prepare(self, tuning_job_id: str, progress: Progress, count: int) -> None:
        """Makes proposals for a tuning job as it is now, at least as far as ``progress``."""
        with self._changed:
            known = self._prepared.get(tuning_job_id)
        started = time.monotonic()
        found = self._snapshot(tuning_job_id, progress)
        if found is None:
            with self._changed:
                self._prepared.pop(tuning_job_id, None)
            return
        job, history, training_s = found
        now = Progress(history.launched, sum(trial.status is not TrialStatus.PENDING for trial in history.trials))
        if known is not None and known.progress == now and len(known.proposals) >= count:
            return  # the same was asked for twice
        numbers = range(now.launched + 1, now.launched + 1 + count)
        proposals = self._made(job, history, numbers)
        seconds = time.monotonic() - started
        prepared = Prepared(now, tuple(proposals), len(proposals) < len(numbers), seconds, training_s)
        with self._changed:
            self._prepared[tuning_job_id] = prepared

    def _snapshot(self, tuning_job_id: str, progress: Progress) -> tuple[TuningJob, History, float | None] | None:
        """A tuning job that still launches, its history, and how long a training job takes; None when it is over."""
        give_up_at = time.monotonic() + _COMMIT_WAIT_S
        while True:
            with self._store.read() as tx:
                job = tx.tuning_jobs.get(tuning_job_id)
                if job is None or not job.launching:
                    return None
                now = Progress.of(job)
                arrived = now.launched >= progress.launched and now.ended >= progress.ended
                if arrived or time.monotonic() > give_up_at:
                    definition = job.spec.definitions[0]
                    trials = tuple(tx.training_jobs.trials(tuning_job_id))
                    history = History(definition.space, definition.objective, len(trials), trials)
                    return job, history, tx.training_jobs.typical_seconds(tuning_job_id)
            time.sleep(_COMMIT_POLL_S)

    def _made(self, job: TuningJob, history: History, numbers: range) -> list[Proposal]:
        """Has proposals made; when the strategy fails, random ones take their place and say so."""
        revision = {"revision": float(job.revision)}
        try:
            proposals = self._process.propose(job.spec.strategy, history, numbers, job.spec.seed)
        except StrategyFailed as error:
            if self._stopped:
                return []
            _LOG.error("strategy failed, its proposals are random", tuning_job=job.spec.name, error=str(error))
            cause = str(error).strip().splitlines()[-1]
            random = RandomStrategy().propose(history, numbers, job.spec.seed)
            proposals = [
                replace(item, explanation=f"{job.spec.strategy.value} failed ({cause}); {item.explanation}")
                for item in random
            ]
        return [replace(item, figures={**item.figures, **revision}) for item in proposals]
