"""One run: a cluster, load, faults, and what came of it."""

from __future__ import annotations

import json
import statistics
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from hrnn_tuner.domain.clock import utc_now
from hrnn_tuner.domain.states import SecondaryState
from tests.chaos.cluster import Cluster
from tests.chaos.findings import Findings
from tests.chaos.load import Lane
from tests.chaos.monitor import RECOVERY_LIMIT_S, Monitor
from tests.chaos.recoveries import Recoveries
from tests.chaos.saboteur import Saboteur
from tests.chaos.schedule import SCHEDULERS, WORKERS, Fault
from tests.chaos.verify import verify
from tests.support.interactions import write_interactions
from tests.support.postgres import PrivatePostgres
from tests.support.rabbitmq_node import RabbitMqNode
from tests.support.waiting import wait_until

SYNTHETIC_LANES = 3
READY_TIMEOUT_S = 60.0
#: Longest time for the last tuning jobs to end when nothing is broken any more.
END_TIMEOUT_S = 120.0


def run(
    folder: Path,
    node: RabbitMqNode,
    postgres: PrivatePostgres,
    *,
    seed: int,
    seconds: float,
    faults: Sequence[Fault],
    on_made: Callable[[list[Fault]], None],
    real: bool = True,
) -> tuple[Findings, str]:
    """Runs a schedule.

    Args:
        folder: For logs, data and artifacts.
        node: A broker of the run's own.
        postgres: A database server of the run's own, empty.
        seed: Of the load.
        seconds: How long faults are made.
        faults: The schedule. What is late makes the rest follow faster, so that all of them are made in time.
        on_made: Called at the end with the faults as they were made.
        real: Whether a tuning job of the real algorithm runs along.

    Returns:
        What was found, and a report for people.
    """
    findings = Findings()
    wipes: list[datetime] = []
    with Cluster(folder, node, postgres) as cluster:
        recoveries = Recoveries(findings)
        monitor = Monitor(cluster, findings, recoveries)
        target = "ipv4:" + ",".join(cluster.addresses.values())
        lanes = [Lane(f"lane-{index}", target, findings, seed=seed) for index in range(SYNTHETIC_LANES)]
        if real:
            interactions = write_interactions(folder / "interactions.csv")
            lanes.append(Lane("real", target, findings, seed=seed, interactions=interactions))

        def ended(fault: Fault) -> None:
            if fault.kind in {"wipe", "restart"}:  # a restarted broker forgets what is not persistent
                wipes.append(utc_now())
            recoveries.ended(fault)

        saboteur = Saboteur(cluster, findings, on_begin=recoveries.begins, on_ended=ended)
        for lane in lanes:
            lane.start()
        monitor.start()
        began = time.monotonic()
        try:
            wait_until(lambda: monitor.logs or findings.failed.is_set(), READY_TIMEOUT_S, "the first tuning job")
            began = time.monotonic()
            saboteur.start()
            for fault in faults:
                if findings.failed.wait(max(0.0, began + fault.at_s - time.monotonic())):
                    break
                saboteur.inflict(fault)
            findings.failed.wait(max(0.0, began + seconds - time.monotonic()))
            saboteur.finish()
            spent = time.monotonic() - began
            wait_until(lambda: not recoveries.waits() or findings.failed.is_set(), RECOVERY_LIMIT_S + 5, "recoveries")
            for lane in lanes:
                lane.finish()
            give_up_at = time.monotonic() + END_TIMEOUT_S
            for lane in lanes:
                while lane.is_alive() and time.monotonic() < give_up_at and not findings.failed.is_set():
                    lane.join(0.2)
                if lane.is_alive() and not findings.failed.is_set():
                    findings.broke(f"{lane.current} did not end within {END_TIMEOUT_S:g} s after the last fault")
            monitor.finish()
            if not findings.failed.is_set():
                jobs = verify(cluster, [name for lane in lanes for name in lane.names], wipes)
                statuses = cluster.stop()
                assert set(statuses.values()) == {0}, f"exit statuses {statuses}"
                return findings, report(cluster, findings, monitor, len(jobs), spent)
        except Exception as error:  # noqa: BLE001 - also what the checks themselves cannot cope with is a finding
            findings.broke(f"{type(error).__name__}: {error}")
        finally:
            on_made(saboteur.made)
            saboteur.release()
        return findings, ""


def report(cluster: Cluster, findings: Findings, monitor: Monitor, tuning_jobs: int, seconds: float) -> str:
    """What a run has shown, as a table."""
    kinds: dict[str, Counter[str]] = {}
    for (kind, target), count in findings.faults.items():
        kinds.setdefault(target, Counter())[kind] += count
    lines = [f"{sum(findings.faults.values())} faults in {seconds:.0f} s"]
    lines += [
        f"  {target:10} {', '.join(f'{kind} {n}' for kind, n in sorted(kinds[target].items()))}"
        for target in sorted(kinds)
    ]
    fired = ", ".join(f"{name} {count}" for name, count in sorted(findings.fired.items()))
    lines.append(f"  failpoints that killed: {sum(findings.fired.values())} ({fired})")
    rows = [row for log in monitor.logs.values() for row in log.training_jobs.values()]
    retried = sum(log.retried for log in monitor.logs.values())
    lines.append(
        f"{tuning_jobs} tuning jobs, {len(rows)} training jobs, each counted once; {retried} attempts repeated"
    )
    early = sum(row.secondary is SecondaryState.EARLY_STOPPED for row in rows)
    states = [[step.state for step in row.transitions] for row in rows]
    broken_off = sum(
        pair == (SecondaryState.STOPPING, SecondaryState.RESTARTING) for life in states for pair in pairwise(life)
    )
    lines.append(f"{early} training jobs stopped early or paused; {broken_off} broken off while their model was kept")
    stale = sum(int(line.get("count", 0)) for line in _log(cluster, SCHEDULERS, "stale reports ignored"))
    superseded = len(_log(cluster, WORKERS, "attempt superseded"))
    again = len(_log(cluster, SCHEDULERS, "task was lost by the broker"))
    lines.append(f"ignored: {stale} late or repeated reports, {superseded} superseded attempts")
    lines.append(f"lost tasks enqueued again: {again}")
    times = sorted(findings.recoveries)
    if times:
        worst = "\n    ".join(f"{seconds:.1f} s after {what}" for seconds, what in reversed(times[-5:]))
        median = statistics.median(seconds for seconds, _ in times)
        lines.append(
            f"recoveries: {len(times)}, {findings.superseded} cut short by the next fault; median {median:.1f} s"
        )
        lines.append(f"  from when no other fault was in the way; the longest:\n    {worst}")
    lines += _memory(findings)
    return "\n".join(lines)


def _memory(findings: Findings) -> list[str]:
    """The most that a process of each kind had in the run's first and second half."""
    end = max((at for at, _, _ in findings.memory), default=0.0)
    lines = []
    for kind in sorted({kind for _, kind, _ in findings.memory}):
        halves: tuple[list[float], list[float]] = ([], [])
        for at, owner, mib in findings.memory:
            if owner == kind:
                halves[at > end / 2].append(mib)
        first, second = (f"{max(half, default=0.0):.0f}" for half in halves)
        lines.append(f"memory of one {kind}: at most {first} MiB in the first half, {second} in the second")
    return lines


def _log(cluster: Cluster, names: Sequence[str], event: str) -> list[dict[str, Any]]:
    """The lines of an event in the logs of some processes."""
    found = []
    for name in names:
        for line in cluster.log(name).read_text(errors="replace").splitlines():
            if event in line and line.startswith("{"):
                found.append(json.loads(line))
    return found
