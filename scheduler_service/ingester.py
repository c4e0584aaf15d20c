"""Takes reports off the queue, applies them in batches of one transaction, and acknowledges after the commit."""

from __future__ import annotations

import queue
import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

import structlog
from google.protobuf.message import DecodeError
from opentelemetry.trace import SpanKind

from hrnn_tuner.broker import Broker, Delivery, Subscription
from hrnn_tuner.broker.topology import reports_queue
from hrnn_tuner.domain.clock import Clock
from hrnn_tuner.domain.errors import ServiceUnavailable
from hrnn_tuner.failpoints import failpoint
from hrnn_tuner.store import JobChange, Store, Transaction, Worker
from hrnn_tuner.telemetry import span
from hrnn_tuner.telemetry.scheduler_metrics import INGEST_BATCH, INGEST_DURATION, REPORTS
from hrnn_tuner.v1 import queue_pb2
from scheduler_service import convert, report_rules
from scheduler_service.completion import Completion
from scheduler_service.convert import REPORT_TYPE
from scheduler_service.early_stopping import Judge
from scheduler_service.ingest_health import IngestHealth
from scheduler_service.outgoing import Outgoing
from scheduler_service.planner import Planner
from scheduler_service.relay import Claimed, Relay
from scheduler_service.reports import Reply, ReportApplier, Verdict, may_go_back
from scheduler_service.wakeup import Wakeup

_LOG = structlog.get_logger(__name__)
_JOIN_TIMEOUT_S = 10.0
#: Most reports of one transaction; also the consumer's prefetch.
BATCH_SIZE = 64
#: How long reports wait for others before they are applied together; the end of a training job never waits.
LINGER_S = 0.01
_RETRY_S = 0.5
_KINDS = ("attempt", "heartbeat", "probe")
_TRACED = {"started", "ended"}


@dataclass
class _Effects:
    """What to do once a batch is committed."""

    replies: list[Reply] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)
    enqueued: list[Claimed] = field(default_factory=list)
    room_for_others: bool = False
    stale: int = 0
    verdicts: Counter[tuple[str, Verdict]] = field(default_factory=Counter)


@dataclass(frozen=True)
class _Item:
    """A parsed delivery."""

    delivery: Delivery
    report: queue_pb2.Report


class Ingester:
    """Owns the reports subscription and the one thread that applies reports."""

    def __init__(
        self,
        *,
        store: Store,
        broker: Broker,
        planner: Planner,
        judge: Judge,
        completion: Completion,
        outgoing: Outgoing,
        health: IngestHealth,
        scheduler_id: str,
        clock: Clock,
        relay: Relay,
        planning: Wakeup,
        log_bytes: int,
    ) -> None:
        """Takes its collaborators; `start` subscribes."""
        self._store = store
        self._broker = broker
        self._planner = planner
        self._applier = ReportApplier(planner, log_bytes=log_bytes)
        self._judge = judge
        self._completion = completion
        self._outgoing = outgoing
        self._health = health
        self._scheduler_id = scheduler_id
        self._clock = clock
        self._relay = relay
        self._planning = planning
        self._deliveries: queue.Queue[Delivery | None] = queue.Queue()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="scheduler-ingester", daemon=True)
        self._subscription: Subscription | None = None

    def start(self) -> None:
        """Starts consuming."""
        self._thread.start()
        self._subscription = self._broker.subscribe(reports_queue(), self._deliveries.put, prefetch=BATCH_SIZE)

    def stop(self) -> None:
        """Stops consuming; what is not applied goes back to the queue, before any scheduler gets what came later."""
        self._stop.set()
        self._deliveries.put(None)
        self._thread.join(_JOIN_TIMEOUT_S)
        if self._subscription is not None:
            self._subscription.cancel(give_back=True)

    def _run(self) -> None:
        """Applies batches until told to stop."""
        while (batch := self._collect()) is not None:
            self._ingest(batch)

    def _collect(self) -> list[_Item] | None:
        """What has arrived; None at the end. Waits a little for more, unless a slot has become free."""
        batch: list[_Item] = []
        deadline: float | None = None  # none until there is something to apply
        while len(batch) < BATCH_SIZE:
            try:
                timeout = None if deadline is None else max(0.0, deadline - time.monotonic())
                delivery = self._deliveries.get(timeout=timeout)
            except queue.Empty:
                return batch
            if delivery is None:
                return None
            item = self._parse(delivery)
            if item is None:
                continue
            batch.append(item)
            if item.report.attempt.WhichOneof("event") == "ended":
                deadline = 0.0
            elif deadline is None:
                deadline = time.monotonic() + LINGER_S
        return batch

    def _ingest(self, items: list[_Item]) -> None:
        """Applies a batch, waiting for the database as long as it takes; falls back to one by one on a bad report."""
        while not self._stop.is_set():
            try:
                self._commit(items)
                return
            except ServiceUnavailable as error:
                _LOG.warning("database is away, reports wait", error=str(error), waiting=len(items))
                self._stop.wait(_RETRY_S)
                items = [item for item in items if item.delivery.current]  # the others will be delivered again
            except Exception:  # noqa: BLE001 - one bad report must not stop the others
                if len(items) == 1:
                    _LOG.exception("report cannot be applied", message_id=items[0].delivery.message.message_id)
                    items[0].delivery.reject(requeue=False)
                    return
                for item in items:
                    self._ingest([item])
                return

    def _parse(self, delivery: Delivery) -> _Item | None:
        """Parses a report; garbage goes to the dead letters."""
        try:
            if delivery.message.type != REPORT_TYPE:
                raise DecodeError(f"type is {delivery.message.type!r}")
            report = queue_pb2.Report.FromString(delivery.message.body)
            complaint = report_rules.complaint_about(report)
            if complaint is not None:
                raise DecodeError(complaint)
            report_rules.clean(report)
        except DecodeError as error:
            _LOG.warning("garbage on the reports queue", error=str(error), message_id=delivery.message.message_id)
            delivery.reject(requeue=False)
            return None
        return _Item(delivery, report)

    def _commit(self, items: Sequence[_Item]) -> None:
        """Applies reports in one transaction, acknowledges them, and does what follows."""
        if not items:
            return
        began = time.perf_counter()
        effects = _Effects()
        kinds = {kind: [item for item in items if item.report.WhichOneof("report") == kind] for kind in _KINDS}
        if kinds["attempt"]:
            with self._store.write() as tx:
                self._apply(tx, kinds["attempt"], effects)
                failpoint("ingester.applied")
        if kinds["heartbeat"]:  # a transaction of its own: it touches training jobs without their tuning job's lock
            with self._store.write() as tx:
                for item in kinds["heartbeat"]:
                    self._heartbeat(tx, item.report.heartbeat, effects)
        failpoint("ingester.committed")
        for item in items:
            item.delivery.ack()
        failpoint("ingester.acked")
        for probe in (item.report.probe for item in kinds["probe"]):
            if probe.scheduler_id == self._scheduler_id:
                self._health.probe_returned(probe.sequence, self._clock())
        INGEST_BATCH.observe(len(items))
        INGEST_DURATION.observe(time.perf_counter() - began)
        for (event, verdict), count in effects.verdicts.items():
            REPORTS.labels(event, verdict.value).inc(count)
        self._follow_up(effects)

    def _apply(self, tx: Transaction, items: Iterable[_Item], effects: _Effects) -> None:
        """Applies the reports of each tuning job in their order; locks tuning jobs in order of their ids."""
        by_job: dict[str, list[_Item]] = {}
        for item in items:
            by_job.setdefault(item.report.attempt.ref.tuning_job_id, []).append(item)
        for job_id, own in sorted(by_job.items()):
            reports = [item.report.attempt for item in own]
            change = tx.change(job_id, self._clock())
            if change is None:  # deleted
                effects.replies.extend(Reply.of(report, queue_pb2.Control.COMMAND_SUPERSEDED) for report in reports)
                continue
            change.preload([report.ref.number for report in reports])
            for item in own:
                if may_go_back(item.report.attempt):  # what came before is compared with what it takes away
                    self._stop_early(tx, change, effects)
                verdict = self._apply_one(tx, change, item, effects)
                effects.stale += verdict is Verdict.STALE
            self._stop_early(tx, change, effects)
            self._completion.apply(change)
            if any(report.WhichOneof("event") == "ended" for report in reports):
                effects.room_for_others |= self._planner.plan(tx, change).room_for_others
            if change.changed:
                effects.changed.add(job_id)
            change.write()
        effects.enqueued = tx.outbox.added

    def _apply_one(self, tx: Transaction, change: JobChange, item: _Item, effects: _Effects) -> Verdict:
        """Applies one report; the first and the last of an attempt are part of its trace."""
        report = item.report.attempt
        event = report.WhichOneof("event") or "unknown"
        with ExitStack() as stack:
            if event in _TRACED:
                about: dict[str, str | int] = {"tuning_job.id": report.ref.tuning_job_id, "number": report.ref.number}
                headers = item.delivery.message.headers
                stack.enter_context(span(f"apply {event}", SpanKind.CONSUMER, parent=headers, attributes=about))
            verdict = self._applier.apply(tx, change, report, effects.replies.append)
        effects.verdicts[event, verdict] += 1
        return verdict

    def _stop_early(self, tx: Transaction, change: JobChange, effects: _Effects) -> None:
        """Judges the metrics that were reported so far, in the order in which the event log tells of them."""
        for job in self._judge.judge(tx, change):
            command = queue_pb2.Control(ref=convert.attempt_ref(job), command=convert.stop_command(job))
            effects.replies.append(Reply(job.worker_id, command))

    def _heartbeat(self, tx: Transaction, beat: queue_pb2.WorkerHeartbeat, effects: _Effects) -> None:
        """Records a worker's sign of life and extends the leases of what it runs."""
        now = self._clock()
        if beat.leaving:
            tx.workers.remove(beat.worker_id)
        else:
            effects.room_for_others |= tx.workers.seen(Worker(beat.worker_id, beat.resource_class, beat.slots, now))
        holders = [(ref.tuning_job_id, ref.number, ref.attempt, ref.token) for ref in beat.running]
        tx.training_jobs.renew_leases(holders, beat.worker_id, now)

    def _follow_up(self, effects: _Effects) -> None:
        """Wakes whoever has something to do now."""
        self._relay.submit(effects.enqueued)
        for reply in effects.replies:
            self._outgoing.command(reply.worker_id, reply.command)
        for job_id in effects.changed:
            self._outgoing.changed(job_id)
        if effects.room_for_others:
            self._planning.set()
        if effects.stale:
            _LOG.info("stale reports ignored", count=effects.stale)
