"""Removes what ended tuning jobs leave behind, when it is older than the operator wants to keep it.

Any number of schedulers may do so at a time: each step is a small transaction under the tuning job's lock that finds
what is left to do, so that two of them at the same tuning job take turns. The records of tuning and training jobs stay;
models are removed by a worker, as checkpoints are, because a scheduler knows no object store.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

import structlog

from hrnn_tuner.domain.clock import Clock
from hrnn_tuner.domain.retention import Belongings, is_pinned
from hrnn_tuner.settings import Settings
from hrnn_tuner.store import JobChange, Store, Transaction
from hrnn_tuner.telemetry.scheduler_metrics import RETENTION_STEPS
from scheduler_service import convert
from scheduler_service.relay import Relay

_LOG = structlog.get_logger(__name__)

INTERVAL_S = 60.0
#: Tuning jobs of each kind of belongings that are looked at in one pass, and steps that one of them gets.
_JOBS = 100
_STEPS = 20
#: Rows of the event log, and models, that go in one transaction.
_EVENTS = 1000
_MODELS = 20

_Step = Callable[[Transaction, JobChange], bool]


def ages(settings: Settings) -> dict[Belongings, timedelta]:
    """How long after a tuning job's end each kind is kept; what is kept for ever is left out."""
    days = {
        Belongings.EVENTS: settings.retention_events_days,
        Belongings.METRICS: settings.retention_metrics_days,
        Belongings.LOGS: settings.retention_logs_days,
        Belongings.ARTIFACTS: settings.retention_artifacts_days,
    }
    return {what: timedelta(days=number) for what, number in days.items() if number}


class Retention:
    """Looks through the ended tuning jobs, a bounded number in each pass, and begins again at the end."""

    def __init__(self, *, store: Store, clock: Clock, relay: Relay, ages: Mapping[Belongings, timedelta]) -> None:
        """Takes its collaborators and the ages from `ages`."""
        self._store = store
        self._clock = clock
        self._relay = relay
        self._ages = ages
        self._looked_at = dict.fromkeys(Belongings, "")
        self._steps: dict[Belongings, _Step] = {
            Belongings.EVENTS: lambda _, change: change.trim_log(_EVENTS),
            Belongings.METRICS: lambda tx, change: tx.leftovers.remove_metrics(change.job.id) > 0,
            Belongings.LOGS: lambda tx, change: tx.leftovers.remove_logs(change.job.id) > 0,
            Belongings.ARTIFACTS: _remove_artifacts,
        }

    def run(self) -> None:
        """One pass."""
        for what, age in self._ages.items():
            with self._store.read() as tx:
                found, self._looked_at[what] = tx.leftovers.owners(
                    what, ended_before=self._clock() - age, after=self._looked_at[what], limit=_JOBS
                )
            for tuning_job_id in found:
                self._clear(what, tuning_job_id)

    def _clear(self, what: Belongings, tuning_job_id: str) -> None:
        """Removes one kind of belongings of one tuning job, or a part of it when there is much."""
        steps = 0
        while steps < _STEPS and self._step(what, tuning_job_id):
            steps += 1
        if steps:
            _LOG.info("removed what was kept long enough", what=what.value, tuning_job_id=tuning_job_id, steps=steps)

    def _step(self, what: Belongings, tuning_job_id: str) -> bool:
        """Removes a little; False when nothing was left."""
        with self._store.write() as tx:
            change = tx.change(tuning_job_id, self._clock())
            if change is None or is_pinned(change.job.tags):  # since it was found
                return False
            removed = self._steps[what](tx, change)
            change.write()
        self._relay.submit(tx.outbox.added)
        if removed:
            RETENTION_STEPS.labels(what.value).inc()
        return removed


def _remove_artifacts(tx: Transaction, change: JobChange) -> bool:
    """Has some models removed; their training jobs say from now on that they have none."""
    numbers = tx.leftovers.with_artifacts(change.job.id, limit=_MODELS)
    change.preload(numbers)
    for number in numbers:
        job = change.training_job(number)
        if job is None:
            raise AssertionError("it was found under the same lock")
        tx.outbox.add(convert.artifact_removal(change.job, job), change.now)
        change.decide("ARTIFACT_REMOVED", number, f"its model was kept long enough: {job.artifact_uri}")
        change.put(job, replace(job, artifact_uri=""))
    return bool(numbers)
