"""Leases and lost tasks, with a clock of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from hrnn_tuner.broker import Broker, Delivery, Message
from hrnn_tuner.broker.memory import InMemoryHub
from hrnn_tuner.broker.topology import TASKS_EXCHANGE, build_topology, reports_queue
from hrnn_tuner.domain.training_job import TrainingJob
from hrnn_tuner.domain.tuning_job import TuningJob
from hrnn_tuner.store import Store, Worker
from hrnn_tuner.v1 import queue_pb2
from scheduler_service.ingest_health import IngestHealth
from scheduler_service.outgoing import Outgoing
from scheduler_service.oversight import LOST_TASK_AFTER, Reaper
from scheduler_service.planner import Planner
from scheduler_service.proposing import Proposer
from scheduler_service.relay import Relay
from scheduler_service.wakeup import Wakeup
from tests.support.invariants import read_training_jobs
from tests.support.tuning import START, create_job, make_spec

LEASE_TTL = timedelta(seconds=4)
SECOND = timedelta(seconds=1)


@dataclass
class Bench:
    """A reaper and what it works with; reports come back only when the test says so."""

    store: Store
    broker: Broker
    now: datetime = START

    def __post_init__(self) -> None:
        self.health = IngestHealth()
        outgoing = Outgoing(self.broker)
        self.planner = Planner(worker_ttl=timedelta(days=1), proposer=Proposer(self.store, Wakeup()))
        self.reaper = Reaper(
            store=self.store,
            broker=self.broker,
            planner=self.planner,
            outgoing=outgoing,
            health=self.health,
            scheduler_id="s",
            clock=lambda: self.now,
            relay=Relay(store=self.store, broker=self.broker, outgoing=outgoing, clock=lambda: self.now),
            lease_ttl=LEASE_TTL,
        )

    def launched(self, count: int) -> TuningJob:
        """A tuning job with this many training jobs whose tasks were published."""
        job = create_job(self.store, make_spec(max_training_jobs=count, max_parallel=count))
        with self.store.write() as tx:
            tx.workers.seen(Worker("w", "default", count, self.now))
        with self.store.write() as tx:
            change = tx.change(job.id, self.now)
            assert change is not None
            assert self.planner.plan(tx, change).launched == count
            change.write()
        with self.store.write() as tx:
            tx.outbox.remove([row_id for row_id, _ in tx.outbox.claim(limit=count, before=self.now + SECOND)])
        return job

    def start(self, job: TuningJob, number: int) -> None:
        """A worker takes a training job."""
        with self.store.write() as tx:
            change = tx.change(job.id, self.now)
            assert change is not None
            training_job = change.training_job(number)
            assert training_job is not None
            change.put(training_job, training_job.started("w", self.now))
            change.write()

    def hear(self) -> None:
        """A probe comes back at once."""
        self.health.probe_returned(self.health.next_probe(self.now), self.now)

    def rows(self, job: TuningJob) -> list[TrainingJob]:
        return read_training_jobs(self.store, job.id)

    def waiting_tasks(self) -> list[int]:
        with self.store.write() as tx:
            return [message.number for _, message in tx.outbox.claim(limit=100, before=self.now + SECOND)]


@pytest.fixture
def bench(store: Store) -> Iterator[Bench]:
    hub = InMemoryHub(build_topology(["default"]))
    with hub.connect("scheduler") as broker:
        probes: list[Delivery] = []
        broker.subscribe(reports_queue(), probes.append, prefetch=1000)  # they wait as if this scheduler were frozen
        yield Bench(store, broker)


def test_a_lease_that_ran_out_before_the_last_probe_ends_the_attempt(bench: Bench) -> None:
    job = bench.launched(1)
    bench.hear()
    bench.start(job, 1)
    bench.now += LEASE_TTL + SECOND
    for _ in range(2):
        bench.now += SECOND
        bench.hear()
    bench.now += LEASE_TTL
    bench.hear()
    bench.reaper.run()
    assert [row.attempt for row in bench.rows(job)] == [2]


def test_a_scheduler_that_was_frozen_takes_no_lease_before_it_has_heard_what_waits(bench: Bench) -> None:
    job = bench.launched(1)
    bench.hear()
    for _ in range(6):
        bench.now += SECOND
        bench.hear()
    bench.start(job, 1)
    bench.now += LEASE_TTL + SECOND / 2  # frozen; meanwhile the worker's heartbeats wait in the queue
    bench.reaper.run()
    assert [row.attempt for row in bench.rows(job)] == [1]


def test_a_lost_task_is_enqueued_again_when_the_queue_is_empty(bench: Bench) -> None:
    job = bench.launched(1)
    bench.now += LOST_TASK_AFTER + SECOND
    bench.hear()
    bench.reaper.run()
    assert bench.waiting_tasks() == [1]
    assert len(bench.rows(job)) == 1


def test_a_task_that_later_ones_overtook_is_lost_even_if_the_queue_is_never_empty(bench: Bench) -> None:
    lost = bench.launched(1)
    bench.now += LOST_TASK_AFTER + SECOND
    later = create_job(bench.store, make_spec("later", max_training_jobs=1, max_parallel=1))
    with bench.store.write() as tx:
        tx.workers.seen(Worker("w", "default", 5, bench.now))
        change = tx.change(later.id, bench.now)
        assert change is not None
        assert bench.planner.plan(tx, change).launched == 1
        change.write()
    with bench.store.write() as tx:
        tx.outbox.remove([row_id for row_id, _ in tx.outbox.claim(limit=9, before=bench.now + SECOND)])
    message = Message(queue_pb2.Task.DESCRIPTOR.full_name, b"of somebody else")
    bench.broker.publish(TASKS_EXCHANGE, "default", message)
    bench.hear()
    bench.reaper.run()
    assert bench.waiting_tasks() == [], "it may still be in the queue"
    bench.start(later, 1)
    bench.reaper.run()
    assert bench.waiting_tasks() == [1]
    assert bench.rows(lost)[0].attempt == 1
