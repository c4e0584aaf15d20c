"""How long a user waits: for a start, for the next start on a slot, for a slot that a stop frees."""

from __future__ import annotations

import time
from collections.abc import Mapping

from tests.benchmarks.control_plane.algorithm import request
from tests.benchmarks.control_plane.cycles import end
from tests.benchmarks.control_plane.fleet import Behaviour
from tests.benchmarks.control_plane.plan import Plan, quantiles_ms
from tests.benchmarks.control_plane.setups import ControlPlane
from tests.benchmarks.results import Results

#: A training that does not end while it is looked at.
_LONG_S = 600.0
#: Trainings of the tuning job in the background: one core is far from busy with their control.
_TRAINING_S = 0.5
_PARALLEL = 8
_REPEATS = 30
#: Rarely: what happened is told with its time, and asking takes processor time from what is measured.
_POLL_S = 0.1
_TIMEOUT_S = 30.0


def measure(plane: ControlPlane, plan: Plan) -> list[list[str]]:
    """Measures one set-up at each size of a tuning job that runs beside."""
    return [[f"{size:,}", *_at(plane, plan, size)] for size in plan.sizes]


def _at(plane: ControlPlane, plan: Plan, size: int) -> list[str]:
    """One row: create → started, result → next start, stop → slot free."""
    background = f"latencies-{size}"
    plane.fleet.behave(Behaviour(seconds=_TRAINING_S))
    plan.histories.create(plane.database_url, background, size, max_parallel=_PARALLEL)
    time.sleep(2 * _TRAINING_S)
    plane.fleet.behave(Behaviour(seconds=_TRAINING_S))
    time.sleep(plan.window_s)
    gaps = plane.fleet.behave(Behaviour(seconds=_LONG_S)).gaps
    starts, stops = [], []
    for repeat in range(_REPEATS):
        name = f"create-{size}-{repeat}"
        began = time.monotonic()
        created = plane.client.create_tuning_job(request(name, max_training_jobs=1, max_parallel=1)).tuning_job
        starts.append(_seen(plane, "starts", created.id) - began)
        began = time.monotonic()
        plane.client.stop_tuning_job(name)
        stops.append(_seen(plane, "stops", created.id) - began)
    end(plane, background)
    return [quantiles_ms(starts), quantiles_ms(gaps), quantiles_ms(stops)]


def _seen(plane: ControlPlane, what: str, tuning_job_id: str) -> float:
    """When the fleet saw something of a tuning job."""
    give_up_at = time.monotonic() + _TIMEOUT_S
    while time.monotonic() < give_up_at:
        time.sleep(_POLL_S)
        record = plane.fleet.behave(Behaviour(seconds=_LONG_S))
        for job_id, at in record.starts if what == "starts" else record.stops:
            if job_id == tuning_job_id:
                return at
    raise AssertionError(f"no {what} of {tuning_job_id} within {_TIMEOUT_S} s")


def results(measured: Mapping[str, list[list[str]]], plan: Plan) -> Results:
    """The table."""
    rows = [[setup, *row] for setup, rows in measured.items() for row in rows]
    headings = ["set-up", "training jobs", "create → started", "result → next start on the slot", "stop → slot free"]
    notes = [
        "Milliseconds, p50 / p95: from the client's call to the simulated trainer's confirmed start, from handing over "
        "a result to the next confirmed start, from the client's call to the end of the training.",
        f"Beside a tuning job of that size with {_PARALLEL} trainings of {_TRAINING_S} s at a time; {_REPEATS} "
        f"creations and stops, results of {plan.window_s:.0f} s. Aim for create → started: p50 of 50 ms.",
    ]
    return Results("bench latencies", "Latencies of the control plane", headings, rows, notes)
