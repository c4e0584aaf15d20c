"""Complete cycles per second, and whether they slow down as a tuning job grows; beside Optuna."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tests.benchmarks.control_plane.fleet import Behaviour
from tests.benchmarks.control_plane.plan import Plan, quantiles_ms
from tests.benchmarks.control_plane.profile import Profile, Profiler, sync_ms
from tests.benchmarks.control_plane.setups import ControlPlane
from tests.benchmarks.results import Results
from tests.support.waiting import wait_until

_STOP_TIMEOUT_S = 60.0
#: Cycles before measuring begins: connections are opened and statements made in the first.
_WARM_UP = 50
#: How often each figure of ours is measured; an odd number.
_ROUNDS = 3
#: What a cycle needs beside the services.
_BESIDE = ("PostgreSQL", "RabbitMQ", "fleet")


@dataclass(frozen=True)
class Rate:
    """One figure.

    Attributes:
        per_second: Complete cycles.
        cpu_ms: Processor time of all processes of the tool itself, per cycle; databases and brokers are not among them.
        gaps: Seconds from a result to the next start on its slot.
        profile: Where the processor time went; None for peers.
    """

    per_second: float
    cpu_ms: float
    gaps: list[float]
    profile: Profile | None = None


#: By the number of clients and the size.
Rates = Mapping[tuple[int, int], Rate]


def measure(plane: ControlPlane, plan: Plan) -> Rates:
    """Measures one set-up. Sizes take turns, so that a machine whose speed changes does not tell them apart."""
    rounds: defaultdict[tuple[int, int], list[Rate]] = defaultdict(list)
    for turn in range(_ROUNDS):
        for clients in plan.clients:
            for size in plan.sizes:
                name = f"cycles-{turn}-{size}-{clients}"
                plan.histories.create(plane.database_url, name, size, max_parallel=clients)
                rate = _rate(plane, name, plan.window_s)
                rounds[clients, size].append(rate)
                show(rate, clients, size)
                end(plane, name)
    return {key: _median(own) for key, own in rounds.items()}


def _median(rounds: Sequence[Rate]) -> Rate:
    """The round of median rate, with the gaps of all rounds."""
    middle = sorted(rounds, key=lambda rate: rate.per_second)[len(rounds) // 2]
    return replace(middle, gaps=[gap for rate in rounds for gap in rate.gaps])


def show(rate: Rate, clients: int, size: int) -> None:
    """Prints a figure as soon as it is there: on a busy machine the whole table takes long."""
    print(
        f"  {clients} clients at {size:,}: {rate.per_second:.1f} cycles/s, {rate.cpu_ms:.1f} ms CPU per cycle, "
        f"result to next start {quantiles_ms(rate.gaps)} ms",
        flush=True,
    )


def end(plane: ControlPlane, name: str) -> None:
    """Stops a tuning job and waits until nothing of it runs."""
    plane.client.stop_tuning_job(name)

    def over() -> bool:
        return plane.client.get_tuning_job(name).training_job_state_counters.in_progress == 0

    wait_until(over, _STOP_TIMEOUT_S, f"{name} to stop")


def _rate(plane: ControlPlane, name: str, window_s: float) -> Rate:
    """Lets a tuning job run and counts its completed training jobs, which the database tells."""

    def completed() -> int:
        return plane.client.get_tuning_job(name).training_job_state_counters.completed

    known = completed()
    wait_until(lambda: completed() >= known + _WARM_UP, _STOP_TIMEOUT_S, f"{name} to get going")
    plane.fleet.behave(Behaviour())
    first, began, profiler = completed(), time.monotonic(), Profiler({**plane.pids, **plane.others})
    time.sleep(window_s)
    count, seconds = completed() - first, time.monotonic() - began
    profile = profiler.per_cycle(count)
    cpu_ms = sum(profile.cpu_ms[name] for name in plane.pids)
    return Rate(count / seconds, cpu_ms, plane.fleet.behave(Behaviour()).gaps, profile)


def results(measured: Mapping[str, Rates], plan: Plan, best_peer: Rates | None) -> Results:
    """The table; the ratio is to the peer's best rate with the same number of clients and the same size."""
    headings = ["tool", "clients"]
    for size in plan.sizes:
        headings += [f"cycles/s at {size:,}", f"CPU ms per cycle at {size:,}"]
    headings += ["last / first size", "result → next start p50 / p95 ms", "times Optuna's best"]
    rows = [
        _row(tool, clients, rates, plan.sizes, best_peer)
        for tool, rates in measured.items()
        for clients in plan.clients
    ]
    notes = [
        "A cycle: propose, dispatch, start, final result stored. Random search, 6 parameters; trainings take no time.",
        "Ours: a client is a slot of a simulated fleet on the real broker client, with leases, fencing and confirms; "
        "each cycle leaves 5 events in the log. Optuna: a client is a process that asks, suggests 6 times and tells.",
        "The size is the number of completed training jobs when measuring begins. What counts are ratios within one "
        "run: the machine has 2 cores and other work. CPU: processes of the tool (ours: API and scheduler, in the "
        "embedded mode with the fleet; Optuna: clients and proxy), without databases and brokers.",
        f"Each rate over {plan.window_s:.0f} s, 0.0 where a cycle takes more than 30 s; the gap at the largest size. "
        f"Ours are the median of {_ROUNDS} rounds, in which sizes take turns.",
    ]
    return Results("bench cycles", "Cycles per second of the control plane", headings, rows, notes)


def profiles(measured: Mapping[str, Rates], plan: Plan) -> Results:
    """Where the time of a cycle goes, at the largest size."""
    found = {
        (setup, clients): rates[clients, plan.sizes[-1]].profile
        for setup, rates in measured.items()
        for clients in plan.clients
    }
    names = list(dict.fromkeys(name for profile in found.values() if profile for name in profile.cpu_ms))
    rows = [
        [
            setup,
            str(clients),
            *(f"{profile.cpu_ms[name]:.1f}" if name in profile.cpu_ms else "" for name in names),
            f"{profile.busy_cores:.2f} of {os.cpu_count()}",
        ]
        for (setup, clients), profile in found.items()
        if profile
    ]
    notes = [
        f"Milliseconds of processor time per cycle at {plan.sizes[-1]:,} training jobs; embedded is one process.",
        f"A page takes {sync_ms():.1f} ms to reach this disk. With one client a cycle waits for the disk four times in "
        "a row: RabbitMQ hands on the end of a training, the next task and its start once they are on disk, and "
        "PostgreSQL commits the result together with the next launch.",
        *_bounds(found),
    ]
    return Results(
        "bench profile", "Where the time of a cycle goes", ["set-up", "clients", *names, "busy cores"], rows, notes
    )


def _bounds(found: Mapping[tuple[str, int], Profile | None]) -> list[str]:
    """What the machine could do at most if the services themselves took no time."""
    notes = []
    for (setup, clients), profile in found.items():
        beside = sum(ms for name, ms in profile.cpu_ms.items() if name in _BESIDE) if profile else 0.0
        if beside:
            most = 1000 * (os.cpu_count() or 1) / beside
            notes.append(
                f"{setup}, {clients} clients: {', '.join(_BESIDE)} alone take {beside:.1f} ms of a cycle, so that "
                f"{os.cpu_count()} cores could do {most:.0f} cycles/s if the services took no time at all."
            )
    return notes


def _row(tool: str, clients: int, rates: Rates, sizes: Sequence[int], best_peer: Rates | None) -> list[str]:
    """One row."""
    row = [tool, str(clients)]
    for size in sizes:
        row += [f"{rates[clients, size].per_second:.1f}", f"{rates[clients, size].cpu_ms:.1f}"]
    first, last = rates[clients, sizes[0]], rates[clients, sizes[-1]]
    row.append(f"{last.per_second / first.per_second:.2f}" if first.per_second else "-")
    row.append(quantiles_ms(last.gaps))
    ratios = []
    for size in sizes if best_peer else ():
        assert best_peer is not None
        peer = best_peer[clients, size].per_second
        ratios.append(f"{rates[clients, size].per_second / peer:.1f}" if peer else "-")
    return [*row, " / ".join(ratios)]
