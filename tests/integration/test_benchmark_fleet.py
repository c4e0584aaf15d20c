"""The simulated fleet of the benchmark speaks the protocol, and its tuning jobs with a history are whole."""

from __future__ import annotations

from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from hrnn_tuner.broker.memory import InMemoryHub
from hrnn_tuner.broker.topology import build_topology
from hrnn_tuner.domain.tuning_job import TuningJob
from hrnn_tuner.store import Store
from scheduler_service.service import SchedulerService
from tests.benchmarks.control_plane.fleet import Behaviour, Fleet
from tests.benchmarks.control_plane.history import Histories
from tests.support.invariants import check_invariants
from tests.support.scheduling import SETTINGS
from tests.support.waiting import wait_until


def stored(store: Store, name: str) -> TuningJob:
    with store.read() as tx:
        job = tx.tuning_jobs.get(str(uuid5(NAMESPACE_URL, name)))
    assert job is not None
    return job


def test_a_fleet_goes_on_with_a_tuning_job_that_has_a_history(database_url: str, store: Store, tmp_path: Path) -> None:
    (tmp_path / "histories").mkdir()
    Histories(tmp_path / "histories").create(database_url, "long", 30, max_parallel=3)
    before = check_invariants(store, stored(store, "long"))
    assert before.counters.completed == 30
    hub = InMemoryHub(build_topology(["default"]))
    with hub.connect("scheduler") as link, hub.connect("fleet") as fleet_link:
        scheduler = SchedulerService(SETTINGS, store, link)
        fleet = Fleet(fleet_link, slots=10)
        fleet.behaviour = Behaviour(reports=2, points=5)
        scheduler.start()
        fleet.start()
        wait_until(lambda: stored(store, "long").counters.completed >= 50, 30, "20 more training jobs")
        scheduler.stop()
        fleet.stop()
    record = fleet.taken_record()
    assert record.ends >= 20
    assert record.points >= 10 * record.ends
    after = check_invariants(store, before)
    with store.read() as tx:
        points = tx.metrics.page(after.id, 31, metrics=[], after=None, limit=100).rows
    assert [point.step for point in points] == list(range(1, 11))
