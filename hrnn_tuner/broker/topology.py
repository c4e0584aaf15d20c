"""Every exchange, queue and binding, in one place. The names are versioned: an incompatible change gets a new one.

Only arguments that the code's correctness needs are here; TTLs and lengths are policies (deploy/rabbitmq), because a
changed queue argument makes the declaration fail with 406 at start. One topology works on RabbitMQ 3.10, 4.0 and 4.3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

TASKS_EXCHANGE = "hrnn.tasks.v1"
REPORTS_EXCHANGE = "hrnn.reports.v1"
CONTROL_EXCHANGE = "hrnn.control.v1"
JOBS_EXCHANGE = "hrnn.jobs.v1"
EVENTS_EXCHANGE = "hrnn.events.v1"
DEAD_EXCHANGE = "hrnn.dead.v1"

JOBS_QUEUE = JOBS_EXCHANGE
DEAD_QUEUE = DEAD_EXCHANGE
REPORTS_SHARD = "0"  #: one shard until one ingester is too slow
JOBS_KEY = "changed"

#: A task that was given back this often without being taken up goes to the dead letters when it is given back again.
TASK_DELIVERY_LIMIT = 5
#: Reports are only given back when the ingester dies, which is no fault of theirs.
REPORT_DELIVERY_LIMIT = 20


def tasks_queue(resource_class: str) -> str:
    """The queue of tasks for one resource class."""
    return f"{TASKS_EXCHANGE}.{resource_class}"


def reports_queue(shard: str = REPORTS_SHARD) -> str:
    """The queue of reports from workers to the scheduler."""
    return f"{REPORTS_EXCHANGE}.{shard}"


def worker_key(worker_id: str) -> str:
    """Routing key of the control messages for one worker."""
    return f"worker.{worker_id}"


def job_key(tuning_job_id: str) -> str:
    """Routing key of the wake-up hints about one tuning job."""
    return f"job.{tuning_job_id}"


@dataclass(frozen=True)
class Exchange:
    """A durable exchange; ``kind`` is AMQP's type."""

    name: str
    kind: str


@dataclass(frozen=True)
class Queue:
    """A durable quorum queue with its one binding."""

    name: str
    exchange: str
    routing_key: str
    arguments: Mapping[str, str | int | bool] = field(default_factory=dict)


@dataclass(frozen=True)
class Topology:
    """All that must exist before anything is published or consumed."""

    exchanges: tuple[Exchange, ...]
    queues: tuple[Queue, ...]


def _quorum(**arguments: str | int | bool) -> dict[str, str | int | bool]:
    """Arguments of a quorum queue; underscores become dashes behind ``x-``."""
    return {"x-queue-type": "quorum"} | {f"x-{name.replace('_', '-')}": value for name, value in arguments.items()}


def build_topology(resource_classes: Sequence[str]) -> Topology:
    """The topology with one tasks queue per resource class."""
    # Not at-least-once dead-lettering: its supervisor on a RabbitMQ node (seen on 3.10) ends for good when two queues
    # are deleted while their leaders start, and with it every such queue until the node restarts. A dead letter that is
    # lost with a node is one of the lost tasks that the scheduler sends again.
    dead_lettered: dict[str, str | int | bool] = {
        "dead_letter_exchange": DEAD_EXCHANGE,
        "overflow": "reject-publish",  # a policy's length limit refuses the new, and never drops the old
    }
    tasks = tuple(
        Queue(tasks_queue(name), TASKS_EXCHANGE, name, _quorum(delivery_limit=TASK_DELIVERY_LIMIT, **dead_lettered))
        for name in resource_classes
    )
    reports = Queue(
        reports_queue(),
        REPORTS_EXCHANGE,
        REPORTS_SHARD,
        _quorum(delivery_limit=REPORT_DELIVERY_LIMIT, single_active_consumer=True, **dead_lettered),
    )
    return Topology(
        exchanges=(
            Exchange(TASKS_EXCHANGE, "direct"),
            Exchange(REPORTS_EXCHANGE, "direct"),
            Exchange(CONTROL_EXCHANGE, "direct"),
            Exchange(JOBS_EXCHANGE, "direct"),
            Exchange(EVENTS_EXCHANGE, "topic"),
            Exchange(DEAD_EXCHANGE, "fanout"),
        ),
        queues=(
            *tasks,
            reports,
            Queue(JOBS_QUEUE, JOBS_EXCHANGE, JOBS_KEY, _quorum(single_active_consumer=True)),
            Queue(DEAD_QUEUE, DEAD_EXCHANGE, "", _quorum()),
        ),
    )
