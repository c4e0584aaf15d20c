"""Metric points per second that are stored while a hundred streams watch."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from threading import Event, Thread

import grpc

from hrnn_tuner.v1 import tuning_service_pb2, tuning_service_pb2_grpc
from tests.benchmarks.control_plane.cycles import end
from tests.benchmarks.control_plane.fleet import POINTS_PER_REPORT, Behaviour
from tests.benchmarks.control_plane.plan import Plan
from tests.benchmarks.control_plane.setups import ControlPlane
from tests.benchmarks.results import Results
from tests.support.processes import cpu_seconds

#: Offered: 40 slots with one full report a second each are 2,560 points a second.
_SLOTS = 40
_TRAINING_S = 600.0


class Watchers:
    """Streams of one tuning job on a loop of their own, which count the metric points that they see."""

    def __init__(self, address: str, name: str, streams: int) -> None:
        """Opens the streams; they begin with what happens from now on."""
        self._address, self._name = address, name
        self.seen = [0] * streams
        self._over = Event()
        self._thread = Thread(target=lambda: asyncio.run(self._run()), name="watchers", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends the streams."""
        self._over.set()
        self._thread.join(10)

    async def _run(self) -> None:
        async with grpc.aio.insecure_channel(self._address) as channel:
            stub = tuning_service_pb2_grpc.TuningServiceStub(channel)  # type: ignore[no-untyped-call]
            job = (await stub.GetTuningJob(tuning_service_pb2.GetTuningJobRequest(name=self._name))).tuning_job
            request = tuning_service_pb2.WatchTuningJobRequest(name=self._name, resume_token=job.resume_token)
            tasks = [asyncio.create_task(self._watch(stub, request, place)) for place in range(len(self.seen))]
            while not self._over.is_set():
                await asyncio.sleep(0.1)
            for task in tasks:
                task.cancel()

    async def _watch(
        self,
        stub: tuning_service_pb2_grpc.TuningServiceStub,
        request: tuning_service_pb2.WatchTuningJobRequest,
        place: int,
    ) -> None:
        async for response in stub.WatchTuningJob(request):
            self.seen[place] += len(response.metrics.points)


def measure(plane: ControlPlane, plan: Plan) -> list[list[str]]:
    """Measures one set-up at each size."""
    return [[f"{size:,}", *_at(plane, plan, size)] for size in plan.sizes]


def _at(plane: ControlPlane, plan: Plan, size: int) -> list[str]:
    """One row: points stored and seen, and what it takes."""
    name = f"points-{size}"
    reports = int(_TRAINING_S)
    plane.fleet.behave(Behaviour(seconds=_TRAINING_S, reports=reports, points=POINTS_PER_REPORT))
    plan.histories.create(plane.database_url, name, size, max_parallel=_SLOTS)
    watchers = Watchers(plane.address, name, plan.streams)
    time.sleep(3)
    behaviour = Behaviour(seconds=_TRAINING_S, reports=reports, points=POINTS_PER_REPORT)
    plane.fleet.behave(behaviour)
    seen, began = list(watchers.seen), time.monotonic()
    pids = {*plane.pids.values()}
    used = cpu_seconds(pids)
    time.sleep(2 * plan.window_s)
    confirmed = plane.fleet.behave(behaviour).points
    seconds = time.monotonic() - began
    slowest = min(now - before for now, before in zip(watchers.seen, seen, strict=True))
    cpu = (cpu_seconds(pids) - used) / seconds
    watchers.close()
    end(plane, name)
    return [f"{confirmed / seconds:,.0f}", f"{slowest / seconds:,.0f}", f"{cpu:.2f}"]


def results(measured: Mapping[str, list[list[str]]], plan: Plan) -> Results:
    """The table."""
    rows = [[setup, *row] for setup, rows in measured.items() for row in rows]
    headings = ["set-up", "training jobs", "points/s reported", "points/s seen by the slowest stream", "cores"]
    notes = [
        f"{_SLOTS} trainings report {POINTS_PER_REPORT} points a second each; {plan.streams} streams of one process "
        "watch the tuning job live. What a stream has seen is stored: streams show what was committed. Aim: 2,000.",
        "Cores: processor time of API and scheduler (embedded: with the fleet) per second.",
    ]
    return Results("bench points", "Metric points per second, watched live", headings, rows, notes)
