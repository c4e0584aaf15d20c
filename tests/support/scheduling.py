"""Schedulers and simulated workers on an in-memory broker, for tests on a real database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hrnn_tuner.broker.memory import InMemoryHub
from hrnn_tuner.domain.tuning_job import TuningJob
from hrnn_tuner.settings import Settings
from hrnn_tuner.store import Store
from scheduler_service.service import SchedulerService
from tests.support.invariants import check_invariants
from tests.support.simulated_worker import SimulatedWorker
from tests.support.waiting import wait_until

SETTINGS = Settings(lease_ttl_s=1.5, heartbeat_interval_s=0.2, planner_interval_s=0.1, control_resend_s=0.3)


@contextmanager
def running(
    store: Store,
    hub: InMemoryHub,
    *,
    schedulers: int = 1,
    workers: int = 1,
    slots: int = 2,
    settings: Settings = SETTINGS,
    **worker: object,
) -> Iterator[list[SimulatedWorker]]:
    """Schedulers and simulated workers on one in-memory broker."""
    links = [hub.connect(f"scheduler-{index}") for index in range(schedulers)]
    services = [SchedulerService(settings, store, link) for link in links]
    fleet_links = [hub.connect(f"worker-{index}") for index in range(workers)]
    fleet = [
        SimulatedWorker(link, slots=slots, seed=index, **worker)  # type: ignore[arg-type]
        for index, link in enumerate(fleet_links)
    ]
    for service in services:
        service.start()
    for member in fleet:
        member.start()
    try:
        yield fleet
    finally:
        for member in fleet:
            member.stop()
        for service in services:
            service.stop()
        for link in [*links, *fleet_links]:
            link.close()


def current(store: Store, job: TuningJob) -> TuningJob | None:
    """A tuning job as it is now; None when it was deleted."""
    with store.read() as tx:
        return tx.tuning_jobs.get(job.id)


def wait_for_end(store: Store, job: TuningJob, timeout_s: float = 60) -> TuningJob:
    """Waits until a tuning job has ended, and checks what must hold."""

    def ended() -> bool:
        row = current(store, job)
        return row is not None and row.state.terminal

    wait_until(ended, timeout_s, f"{job.spec.name} to end")
    return check_invariants(store, job)
