"""Consumes the dead letters: a dead task ends its attempt, anything else is kept for people to look at."""

from __future__ import annotations

import queue

import structlog
from google.protobuf.message import DecodeError

from hrnn_tuner.broker import Broker, Delivery, Message, Subscription
from hrnn_tuner.broker.topology import DEAD_QUEUE
from hrnn_tuner.domain.clock import Clock
from hrnn_tuner.domain.states import FailureCause
from hrnn_tuner.failpoints import failpoint
from hrnn_tuner.store import Store
from hrnn_tuner.telemetry.scheduler_metrics import DEAD_LETTERS
from hrnn_tuner.v1 import queue_pb2
from scheduler_service.convert import TASK_TYPE
from scheduler_service.outgoing import Outgoing
from scheduler_service.planner import Planner
from scheduler_service.relay import Relay
from scheduler_service.wakeup import PeriodicThread, Wakeup

_LOG = structlog.get_logger(__name__)
_PREFETCH = 16
_IDLE_S = 30.0


class DeadLetters:
    """Owns the dead letter subscription and the thread that works it off."""

    def __init__(
        self, *, store: Store, broker: Broker, planner: Planner, outgoing: Outgoing, clock: Clock, relay: Relay
    ) -> None:
        """Takes its collaborators; `start` subscribes."""
        self._store = store
        self._broker = broker
        self._planner = planner
        self._outgoing = outgoing
        self._clock = clock
        self._relay = relay
        self._deliveries: queue.Queue[Delivery] = queue.Queue()
        self._arrived = Wakeup()
        self._thread = PeriodicThread("scheduler-dead-letters", self._run, interval_s=_IDLE_S, wakeup=self._arrived)
        self._subscription: Subscription | None = None

    def start(self) -> None:
        """Starts consuming."""
        self._thread.start()
        self._subscription = self._broker.subscribe(DEAD_QUEUE, self._take, prefetch=_PREFETCH)

    def stop(self) -> None:
        """Stops consuming; what is not worked off goes back to the queue."""
        if self._subscription is not None:
            self._subscription.cancel()
        self._thread.stop()

    def _take(self, delivery: Delivery) -> None:
        """Hands a delivery to the thread."""
        self._deliveries.put(delivery)
        self._arrived.set()

    def _run(self) -> None:
        """Works off what has arrived; one that fails stays at the head of the line."""
        while not self._deliveries.empty():
            delivery = self._deliveries.queue[0]
            if delivery.current:
                self._bury(delivery)
                failpoint("dead_letters.committed")
                delivery.ack()
            self._deliveries.get()

    def _bury(self, delivery: Delivery) -> None:
        """Works off one dead letter in one transaction."""
        message = delivery.message
        task = _task_in(message)
        with self._store.write() as tx:
            for assignment in sorted(task.assignments, key=lambda item: item.ref.tuning_job_id):
                ref = assignment.ref
                change = tx.change(ref.tuning_job_id, self._clock())
                job = tx.training_jobs.get(ref.tuning_job_id, ref.number)
                if change is None or job is None or not job.active or job.dispatched:
                    continue
                if (job.attempt, job.token) != (ref.attempt, ref.token):
                    continue
                reason = "its task was delivered too often without being taken up"
                self._planner.retry(tx, change, job, FailureCause.DISPATCH_LIMIT, reason)
                self._planner.plan(tx, change)
                change.write()
                self._outgoing.changed(ref.tuning_job_id)
            if not task.assignments:
                tx.dead_messages.add(self._clock(), message.type, message.message_id, message.body, _complaint(task))
        DEAD_LETTERS.inc()
        _LOG.warning("dead letter", type=message.type, message_id=message.message_id, tasks=len(task.assignments))
        self._relay.submit(tx.outbox.added)


def _task_in(message: Message) -> queue_pb2.Task:
    """What a dead letter asked for; nothing if it is no task of ours."""
    try:
        task = queue_pb2.Task.FromString(message.body) if message.type == TASK_TYPE else queue_pb2.Task()
    except DecodeError:
        return queue_pb2.Task()
    # PostgreSQL could not even be asked about such an id, and the dead letter would stay at the head of the line.
    foreign = any("\0" in assignment.ref.tuning_job_id for assignment in task.assignments)
    return queue_pb2.Task() if foreign else task


def _complaint(task: queue_pb2.Task) -> str:
    """Why a dead letter that starts no attempt is kept."""
    if task.remove_artifacts:
        return "its models could not be removed"
    return "its checkpoints could not be removed" if task.remove_checkpoints else "nobody could read it"
