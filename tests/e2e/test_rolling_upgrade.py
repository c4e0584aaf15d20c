"""Every service is replaced while tuning jobs run, the new process beside the old one: nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hrnn_tuner.client import TuningClient
from hrnn_tuner.store import Store, TuningJobQuery
from tests.chaos.cluster import ACTIVATION_SETTINGS
from tests.chaos.findings import Findings
from tests.chaos.load import Lane
from tests.chaos.verify import check_job
from tests.support.ports import free_port
from tests.support.stack import COLD, Service, Stack
from tests.support.waiting import wait_until

TIMEOUT_S = 120.0
LANES = 2
#: What the log of a process says when it has taken its place.
TAKEN_UP = {"api_service": "API listens", "scheduler_service": "scheduler started", "worker_service": "trainer is warm"}


@pytest.fixture
def stack(tmp_path: Path, postgres_database: str, amqp_vhost_url: str) -> Iterator[Stack]:
    settings = COLD | ACTIVATION_SETTINGS
    settings |= {"LEASE_TTL_S": "10", "HEARTBEAT_INTERVAL_S": "0.5", "WORKER_DRAIN_GRACE_S": "5"}
    with Stack(tmp_path, database_url=postgres_database, broker_url=amqp_vhost_url, settings=settings) as running:
        yield running


def replace(stack: Stack, old: Service, lanes: list[Lane], findings: Findings, **settings: str) -> Service:
    """Starts another process of the same kind, lets both work, and ends the old one as an orchestrator does."""
    new = stack.start(old.module, f"{old.module}-new", **settings)
    wait_until(lambda: TAKEN_UP[old.module] in new.log, TIMEOUT_S, f"the new {old.module}")
    await_progress(lanes, findings)
    assert old.stop() == 0
    await_progress(lanes, findings)
    return new


def await_progress(lanes: list[Lane], findings: Findings) -> None:
    """Waits until every lane is two tuning jobs further."""
    wanted = {lane: len(lane.names) + 2 for lane in lanes}
    wait_until(
        lambda: findings.failed.is_set() or all(len(lane.names) >= count for lane, count in wanted.items()),
        TIMEOUT_S,
        "tuning jobs to end",
    )
    assert findings.broken == []


@pytest.mark.timeout(600)  # a worker is warm after some seconds, or half a minute on a busy machine
def test_each_service_is_replaced_under_load_and_nothing_is_lost(stack: Stack, postgres_database: str) -> None:
    port = free_port()
    both = f"ipv4:{stack.address},127.0.0.1:{port}"  # a client knows old and new side, as behind a load balancer
    findings = Findings()
    lanes = [Lane(f"lane-{index}", both, findings, seed=index) for index in range(LANES)]
    for lane in lanes:
        lane.start()
    await_progress(lanes, findings)
    stack.workers = [replace(stack, stack.workers[0], lanes, findings)]
    stack.schedulers = [replace(stack, stack.schedulers[0], lanes, findings)]
    stack.api = replace(stack, stack.api, lanes, findings, LISTEN=f"127.0.0.1:{port}")
    for lane in lanes:
        lane.finish()
    for lane in lanes:
        lane.join(TIMEOUT_S)
    assert findings.broken == []

    names = [name for lane in lanes for name in lane.names]
    store = Store(postgres_database)
    with store.read() as tx:
        jobs = tx.tuning_jobs.page(TuningJobQuery(project=None), after=None, limit=10_000).rows
        assert tx.dead_messages.count() == 0
    assert sorted(job.spec.name for job in jobs) == sorted(names)
    for job in jobs:
        check_job(store, job, [])
    store.close()
    with TuningClient(both) as client:  # through the new side alone
        assert sorted(job.name for job in client.list_tuning_jobs()) == sorted(names)
