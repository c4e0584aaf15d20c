"""Asks stopping rules about training jobs, in the transaction that stores their metrics."""

from __future__ import annotations

import math

from hrnn_tuner.domain.early_stopping import planned_epochs
from hrnn_tuner.domain.states import SecondaryState
from hrnn_tuner.domain.training_job import TrainingJob
from hrnn_tuner.store import JobChange, MetricPoint, Standing, Transaction
from scheduler_service.early_stopping.contract import Point, StoppingRule
from scheduler_service.early_stopping.registry import MedianActivation, rule_of
from scheduler_service.early_stopping.stored_peers import StoredPeers


class Judge:
    """Applies the stopping rule of each tuning job. Thread-safe; keeps no state between calls."""

    def __init__(self, activation: MedianActivation) -> None:
        """Takes the operator's settings of the median rule."""
        self._activation = activation

    def judge(self, tx: Transaction, change: JobChange) -> list[TrainingJob]:
        """Asks about every training job that has new objective values.

        A training job that has ended, is stopping, or has nothing left to train is not judged, but others are compared
        with it. The values of an attempt come in order of their epochs: its reports travel through one queue.

        Returns:
            The training jobs that are to be stopped early; their workers are still to be told.
        """
        rule = rule_of(change.job.spec, self._activation)
        if rule is None:
            return []
        stopped = []
        for number, point in change.store_metrics():
            job = change.training_job(number)
            if job is None or point.metric != change.job.spec.objective.metric_name or not math.isfinite(point.value):
                continue
            if self._advance(tx, rule, job, point) and self._may_be_stopped(job, point):
                after = self._decide(tx, change, rule, job, point)
                if after is not None:
                    stopped.append(after)
        return stopped

    def _advance(self, tx: Transaction, rule: StoppingRule, job: TrainingJob, point: MetricPoint) -> bool:
        """Records the level that a training job has reached; False when it had reached it before."""
        level = rule.level(job.number, point.step)
        if level is None:
            return False
        total, count = point.value, 1
        if rule.averages:
            before = tx.standings.before(job.tuning_job_id, job.number, level)
            if before is not None:
                total, count = before.total + point.value, before.count + 1
        standing = Standing(level, rule.pool(job.number), total / count, total, count)
        return tx.standings.add(job.tuning_job_id, job.number, standing)

    def _may_be_stopped(self, job: TrainingJob, point: MetricPoint) -> bool:
        """Whether its worker still trains this attempt, and not only ends it."""
        if not job.dispatched or job.secondary is SecondaryState.STOPPING or job.attempt != point.attempt:
            return False
        planned = planned_epochs(job.hyperparameters)
        return planned is None or point.step < planned

    def _decide(
        self, tx: Transaction, change: JobChange, rule: StoppingRule, job: TrainingJob, point: MetricPoint
    ) -> TrainingJob | None:
        """Asks the rule; returns the training job if it is to be stopped."""
        level = rule.level(job.number, point.step)
        assert level is not None, "it was recorded"
        peers = StoredPeers(
            tx.standings,
            change.job.spec.objective.type,
            job.tuning_job_id,
            job.number,
            rule.pool(job.number),
            level,
        )
        decision = rule.decide(Point(job.number, point.step, point.value, job.proposal.until_epoch), peers)
        if not decision.stop:
            return None
        reason = f"{decision.rule}: {decision.explanation}"
        after = job.stopped_early(decision.rule, reason, change.now)
        change.put(job, after)
        change.decide("EARLY_STOPPED", job.number, reason, decision.figures)
        return after
