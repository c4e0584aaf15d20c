"""The thread that has expensive proposals made, before a slot needs them where that helps."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import NamedTuple

import structlog

from hrnn_tuner.domain.errors import ServiceUnavailable
from hrnn_tuner.domain.training_job import Proposal
from hrnn_tuner.domain.tuning_job import StrategyName, TrainingJobDefinition, TuningJob
from hrnn_tuner.store import Store
from hrnn_tuner.telemetry.scheduler_metrics import PROPOSAL_DURATION
from scheduler_service.proposing.parents import read_parents
from scheduler_service.proposing.prepared import Prepared, Progress, Ready
from scheduler_service.proposing.sequences import own_history, own_seed
from scheduler_service.proposing.strategy_process import StrategyFailed, StrategyProcess
from scheduler_service.strategies import History, strategy_for
from scheduler_service.wakeup import Wakeup

_LOG = structlog.get_logger(__name__)
_JOIN_TIMEOUT_S = 10.0
#: A process that nobody asks for this long is ended, which gives its memory back.
_IDLE_S = 300.0
#: Who asks is in a transaction that is about to be committed; this is how long its commit is waited for.
_COMMIT_WAIT_S = 1.0
_COMMIT_POLL_S = 0.005
_RETRY_S = 1.0


#: Id of a tuning job and name of one of its definitions.
_Key = tuple[str, str]


class _Snapshot(NamedTuple):
    """A definition as it is now, and how many seconds a training job takes; None when none has ended."""

    job: TuningJob
    definition: TrainingJobDefinition
    history: History
    training_s: float | None


class _Wanted(NamedTuple):
    """Proposals that were asked for: from which state on, how many, and since when."""

    progress: Progress
    proposals: int
    since: float


class Proposer:
    """Prepares proposals of strategies that are expensive; what it keeps can be made again at any time.

    Thread-safe.
    """

    def __init__(self, store: Store, planning: Wakeup) -> None:
        """Takes the database, and what wakes the planning of launches."""
        self._store = store
        self._planning = planning
        self._process = StrategyProcess()
        self._prepared: dict[_Key, Prepared] = {}
        self._wanted: dict[_Key, _Wanted] = {}
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
        self._process.close()  # also what it is working on
        self._thread.join(_JOIN_TIMEOUT_S)

    def take(self, job: TuningJob, definition: TrainingJobDefinition, progress: Progress, count: int) -> Ready | None:
        """Proposals for the next training jobs of a definition, if they are ready.

        Args:
            job: The locked tuning job.
            definition: One of its definitions.
            progress: How far this has come, with the changes of this transaction.
            count: How many are asked for.

        Returns:
            Up to ``count``; None while they are made, after which planning is woken.
        """
        key = (job.id, definition.name)
        with self._changed:
            prepared, ready = self._prepared.get(key), None
            if prepared is not None:
                self._prepared[key], ready = prepared.take(progress, count)
            if ready is None:
                self._want(key, progress, count)
            elif ready.proposals and not ready.exhausted:
                found = len(ready.proposals)
                ahead = prepared is not None and not prepared.worth_waiting
                if ahead or found < count:
                    self._want(key, Progress(progress.launched + found, progress.ended), max(1, count - found))
        return ready

    def expect(self, job: TuningJob, definition: TrainingJobDefinition, progress: Progress) -> None:
        """Has the next proposal of a definition made ahead, as soon as this transaction's launches are committed.

        Args:
            job: The locked tuning job.
            definition: One of its definitions.
            progress: How far this will have come by then.
        """
        with self._changed:
            self._want((job.id, definition.name), progress, 1)

    def _want(self, key: _Key, progress: Progress, count: int) -> None:
        """Notes what is wanted; the caller holds the lock."""
        earlier = self._wanted.get(key)
        since = time.monotonic() if earlier is None else earlier.since
        self._wanted[key] = _Wanted(progress, count, since)
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
                key = next(iter(self._wanted))
                wanted = self._wanted.pop(key)
            try:
                self._prepare(key, wanted)
            except ServiceUnavailable as error:
                _LOG.warning("database is away", thread=self._thread.name, error=str(error))
                self._pause()
            except Exception:  # noqa: BLE001 - a thread of a service must outlive any single failure
                _LOG.exception("unexpected error", thread=self._thread.name)
                self._pause()
            self._planning.set()

    def _pause(self) -> None:
        """Waits before another attempt, unless stopped."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopped, _RETRY_S)

    def _has_work(self) -> bool:
        """Whether there is something to do."""
        return self._stopped or bool(self._wanted)

    def _prepare(self, key: _Key, wanted: _Wanted) -> None:
        """Makes proposals for a definition as it is now, at least as far as was asked for."""
        count = wanted.proposals
        found = self._snapshot(key, wanted.progress)
        if found is None:
            with self._changed:
                self._prepared.pop(key, None)
            return
        now = Progress.of_history(found.history)
        with self._changed:
            known = self._prepared.get(key)
        if known is not None and known.progress == now and len(known.proposals) >= count:
            return  # the same was asked for twice
        numbers = range(now.launched + 1, now.launched + 1 + count)
        proposals = tuple(self._made(found, numbers))
        if self._stopped:  # there may be none for that reason alone
            return
        seconds = time.monotonic() - wanted.since  # those of other tuning jobs before it are waited for, too
        exhausted = strategy_for(found.job.spec.strategy).exhausted(found.history, count, len(proposals))
        alone = found.job.spec.limits.max_parallel == 1
        prepared = Prepared(now, proposals, exhausted, seconds, found.training_s, alone)
        with self._changed:
            self._prepared[key] = prepared

    def _snapshot(self, key: _Key, progress: Progress) -> _Snapshot | None:
        """A tuning job that still launches; None when it is over."""
        tuning_job_id, definition_name = key
        give_up_at = time.monotonic() + _COMMIT_WAIT_S
        while True:
            with self._store.read() as tx:
                job = tx.tuning_jobs.get(tuning_job_id)
                if job is None or not job.launching:
                    return None
                definition = job.spec.definition(definition_name)
                trials, parents = tx.training_jobs.trials(tuning_job_id), read_parents(tx, job)
                budget = job.spec.limits.max_training_jobs
                history = own_history(definition, trials, parents, job.spec.pauses_at, budget)
                now = Progress.of_history(history)
                arrived = now.launched >= progress.launched and now.ended >= progress.ended
                if arrived or time.monotonic() > give_up_at:
                    return _Snapshot(job, definition, history, tx.training_jobs.typical_seconds(tuning_job_id))
            time.sleep(_COMMIT_POLL_S)

    def _made(self, found: _Snapshot, numbers: range) -> list[Proposal]:
        """Has proposals made; when the strategy fails, random ones take their place and say so.

        Where training jobs pause, those are of ASHA, which promotes them: a random training would never be compared.
        """
        job, history, seed = found.job, found.history, own_seed(found.job.spec, found.definition)
        revision = {"revision": float(job.revision)}
        try:
            with PROPOSAL_DURATION.labels(job.spec.strategy.value).time():
                proposals = self._process.propose(job.spec.strategy, history, numbers, seed)
        except StrategyFailed as error:
            if self._stopped:
                return []
            _LOG.error("strategy failed, its proposals are random", tuning_job=job.spec.name, error=str(error))
            cause = str(error).strip().splitlines()[-1]
            instead = StrategyName.ASHA if history.levels else StrategyName.RANDOM
            random = strategy_for(instead).propose(history, numbers, seed)
            proposals = [
                replace(item, explanation=f"{job.spec.strategy.value} failed ({cause}); {item.explanation}")
                for item in random
            ]
        return [replace(item, figures={**item.figures, **revision}) for item in proposals]
