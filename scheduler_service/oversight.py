"""What must happen without any report: launches, ends, repeated stops, leases that ran out, tasks that got lost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from hrnn_tuner.broker import Broker, BrokerUnavailable, Message, MessageRefused, MessageUnroutable
from hrnn_tuner.broker.topology import REPORTS_EXCHANGE, REPORTS_SHARD, tasks_queue
from hrnn_tuner.domain.clock import Clock
from hrnn_tuner.domain.states import FailureCause
from hrnn_tuner.domain.training_job import TrainingJob
from hrnn_tuner.failpoints import failpoint
from hrnn_tuner.store import Store
from hrnn_tuner.telemetry.scheduler_metrics import LEASES_LOST, PLAN_DURATION, TASKS_REQUEUED
from hrnn_tuner.v1 import queue_pb2
from scheduler_service import convert
from scheduler_service.checkpoint_removal import CheckpointRemoval
from scheduler_service.ingest_health import IngestHealth
from scheduler_service.outgoing import Outgoing
from scheduler_service.planner import Planner
from scheduler_service.relay import Relay
from scheduler_service.time_limits import TimeLimits

_LOG = structlog.get_logger(__name__)
#: A queued task that nobody took while the queue is empty is lost after this time.
LOST_TASK_AFTER = timedelta(seconds=10)
_PUBLISH_TIMEOUT_S = 2.0


class PlanningRound:
    """Looks at all tuning jobs: ends what is due, launches what there is room for, repeats stop commands, clears up."""

    def __init__(
        self,
        *,
        store: Store,
        planner: Planner,
        outgoing: Outgoing,
        clock: Clock,
        relay: Relay,
        control_resend: timedelta,
    ) -> None:
        """Takes its collaborators."""
        self._store = store
        self._planner = planner
        self._outgoing = outgoing
        self._clock = clock
        self._relay = relay
        self._control_resend = control_resend
        self._time_limits = TimeLimits(store=store, clock=clock, outgoing=outgoing)
        self._checkpoint_removal = CheckpointRemoval(store=store, clock=clock, relay=relay)
        self._stops_sent: dict[tuple[str, int, int, queue_pb2.Control.Command], datetime] = {}

    def run(self) -> None:
        """One round."""
        with PLAN_DURATION.time():
            self._look()

    def _look(self) -> None:
        """Looks at all tuning jobs once. What somebody waits for comes first: launches, then stops."""
        now = self._clock()
        with self._store.read() as tx:
            launchable = self._planner.launchable(tx, now)
        for tuning_job_id in launchable:
            self._advance(tuning_job_id)
        due: list[str] = []
        overdue: list[TrainingJob] = []
        stopping: list[TrainingJob] = []
        with self._store.read() as tx:
            if tx.tuning_jobs.any_at_work():
                stopping = tx.training_jobs.stopping()
                due = tx.tuning_jobs.due(now)
                overdue = tx.training_jobs.overdue(now)
            leftovers = {job.tuning_job_id for job in tx.training_jobs.with_leftovers()}
        self._send_stops(stopping, now)
        for tuning_job_id in due:
            self._advance(tuning_job_id)
        for job in overdue:
            self._time_limits.stop(job)
        if due or overdue:  # there may be more to be stopped now
            with self._store.read() as tx:
                stopping = tx.training_jobs.stopping()
            self._send_stops(stopping, now)
        for tuning_job_id in sorted(leftovers):
            self._checkpoint_removal.order(tuning_job_id)

    def _advance(self, tuning_job_id: str) -> None:
        """Ends or plans one tuning job."""
        with self._store.write() as tx:
            change = tx.change(tuning_job_id, self._clock())
            if change is None:
                return
            deleted = self._planner.end(tx, change)
            if not deleted:
                self._planner.plan(tx, change)
                change.write()
            failpoint("planning.planned")
        failpoint("planning.committed")
        self._relay.submit(tx.outbox.added)
        self._outgoing.changed(tuning_job_id)

    def _send_stops(self, stopping: Sequence[TrainingJob], now: datetime) -> None:
        """Sends a stop command for every training job that was asked to stop, again and again until it has ended."""
        sent = {}
        for job in stopping:
            command = convert.stop_command(job)
            key = (job.tuning_job_id, job.number, job.attempt, command)
            last = self._stops_sent.get(key)
            if last is None or now - last >= self._control_resend:
                control = queue_pb2.Control(ref=convert.attempt_ref(job), command=command)
                self._outgoing.command(job.worker_id, control)
                last = now
            sent[key] = last
        self._stops_sent = sent


class Reaper:
    """Ends attempts whose worker was not heard of for a lease, and enqueues again what the broker lost."""

    def __init__(
        self,
        *,
        store: Store,
        broker: Broker,
        planner: Planner,
        outgoing: Outgoing,
        health: IngestHealth,
        scheduler_id: str,
        clock: Clock,
        relay: Relay,
        lease_ttl: timedelta,
    ) -> None:
        """Takes its collaborators."""
        self._store = store
        self._broker = broker
        self._planner = planner
        self._outgoing = outgoing
        self._health = health
        self._scheduler_id = scheduler_id
        self._clock = clock
        self._relay = relay
        self._lease_ttl = lease_ttl
        self._forgotten_at: datetime | None = None  # when long silent workers were forgotten last

    def run(self) -> None:
        """One round: asks whether reports are applied without delay, and acts on leases only if they are.

        Without a tuning job at work there are no leases, and nothing is asked.
        """
        with self._store.read() as tx:
            if not tx.tuning_jobs.any_at_work():
                return
        self._probe()
        now = self._clock()
        heard = self._health.heard(now)
        if heard is None:
            return
        # Not by the present time: what was reported since the last probe may still be on its way, however long this
        # process was frozen or waited for the database.
        lost_before = heard.until - self._lease_ttl
        heard_all = heard.since <= lost_before
        with self._store.read() as tx:
            silent = tx.training_jobs.silent_since(lost_before) if heard_all else []
            old = [job for job in tx.training_jobs.waiting() if now - job.transitions[-1].at > LOST_TASK_AFTER]
        for job in silent:
            self._reap(job, lost_before)
        if old:
            self._requeue_lost(old)
        if heard_all and (self._forgotten_at is None or now - self._forgotten_at >= self._lease_ttl):
            self._forgotten_at = now
            with self._store.write() as tx:
                tx.workers.forget_before(now - 10 * self._lease_ttl)

    def _probe(self) -> None:
        """Sends a probe through the reports queue."""
        probe = queue_pb2.IngestProbe(scheduler_id=self._scheduler_id, sequence=self._health.next_probe(self._clock()))
        body = queue_pb2.Report(probe=probe).SerializeToString()
        message = Message(convert.REPORT_TYPE, body, message_id=f"probe/{probe.sequence}", persistent=False)
        try:
            self._broker.publish(REPORTS_EXCHANGE, REPORTS_SHARD, message, timeout_s=_PUBLISH_TIMEOUT_S)
        except (BrokerUnavailable, MessageRefused, MessageUnroutable) as error:
            _LOG.info("no probe sent, leases rest", error=str(error))

    def _reap(self, seen: TrainingJob, lost_before: datetime) -> None:
        """Ends one attempt, unless a report came in between."""
        with self._store.write() as tx:
            change = tx.change(seen.tuning_job_id, self._clock())
            job = tx.training_jobs.get(seen.tuning_job_id, seen.number)
            if change is None or job is None or not job.dispatched or job.seen_at is None:
                return
            if job.attempt != seen.attempt or job.seen_at >= lost_before:
                return
            silence = (change.now - job.seen_at).total_seconds()
            reason = f"worker {job.worker_id} was not heard of for {silence:.0f} s"
            self._planner.retry(tx, change, job, FailureCause.WORKER_LOST, reason)
            self._planner.plan(tx, change)
            change.write()
            failpoint("reaper.applied")
        failpoint("reaper.committed")
        LEASES_LOST.inc()
        _LOG.warning("lease ran out", training_job=job.name, attempt=job.attempt, worker_id=job.worker_id)
        superseded = queue_pb2.Control(ref=convert.attempt_ref(job), command=queue_pb2.Control.COMMAND_SUPERSEDED)
        self._outgoing.command(job.worker_id, superseded)
        self._relay.submit(tx.outbox.added)
        self._outgoing.changed(job.tuning_job_id)

    def _requeue_lost(self, old: Sequence[TrainingJob]) -> None:
        """Enqueues those tasks again that are neither in the outbox nor on the queue: the broker was wiped.

        Args:
            old: Training jobs that have been waiting for long.
        """
        with self._store.read() as tx:
            running = tx.training_jobs.dispatched()
            jobs = {job.tuning_job_id: tx.tuning_jobs.get(job.tuning_job_id) for job in (*old, *running)}
        classes = {
            tuning_job_id: job.spec.definitions[0].resource_class
            for tuning_job_id, job in jobs.items()
            if job is not None
        }
        try:
            empty = {
                name
                for name in {classes.get(job.tuning_job_id) for job in old}
                if name is not None and self._broker.depth(tasks_queue(name)) == 0
            }
        except BrokerUnavailable:
            return
        taken: dict[str | None, datetime] = {}  # when the newest task of those that workers have was enqueued
        for job in running:
            name = classes.get(job.tuning_job_id)
            taken[name] = max(taken.get(name, job.waiting_since), job.waiting_since)
        for waiting in old:
            name = classes.get(waiting.tuning_job_id)
            # A queue is first in, first out: what was overtaken is not in it, also when it is never empty.
            overtaken = name in taken and taken[name] > waiting.transitions[-1].at + LOST_TASK_AFTER
            if name in empty or overtaken:
                self._requeue(waiting)

    def _requeue(self, seen: TrainingJob) -> None:
        """Enqueues the current attempt of one training job again, unless a worker took it in between."""
        with self._store.write() as tx:
            change = tx.change(seen.tuning_job_id, self._clock())
            job = tx.training_jobs.get(seen.tuning_job_id, seen.number)
            if change is None or job is None or job.dispatched or not job.active or job.attempt != seen.attempt:
                return
            if tx.outbox.has_task(job.tuning_job_id, job.number, job.attempt):
                return
            tx.outbox.add(convert.task(change.job, job), change.now)
            change.decide("REQUEUED", job.number, "its task was lost by the broker")
            change.write()
        failpoint("reaper.requeued")
        TASKS_REQUEUED.inc()
        _LOG.warning("task was lost by the broker", training_job=seen.name, attempt=seen.attempt)
        self._relay.submit(tx.outbox.added)
