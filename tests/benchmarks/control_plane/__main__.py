"""Command line of the tables: ``make bench``."""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.benchmarks import dispatch
from tests.benchmarks.control_plane import cycles, idle, latencies, points
from tests.benchmarks.control_plane.cycles import Rate, Rates
from tests.benchmarks.control_plane.history import Histories
from tests.benchmarks.control_plane.peers.optuna_storages import Optuna
from tests.benchmarks.control_plane.plan import Plan
from tests.benchmarks.control_plane.setups import SETUPS, ControlPlane
from tests.benchmarks.results import Results

_ON_A_PLANE: Mapping[str, Callable[[ControlPlane, Plan], Any]] = {
    "cycles": cycles.measure,
    "latencies": latencies.measure,
    "points": points.measure,
}
TABLES = (*_ON_A_PLANE, "idle", "slot")


def main() -> None:
    """Measures the chosen tables."""
    arguments = _arguments()
    os.environ["HRNN_TUNER_LOG_LEVEL"] = "WARNING"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "histories").mkdir()
        histories = Histories(folder / "histories")
        plan = Plan(tuple(arguments.sizes), tuple(arguments.clients), arguments.window, arguments.streams, histories)
        for results in _tables(arguments, plan, folder):
            results.show()
            if arguments.record:
                results.record()


def _arguments() -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.control_plane",
        description="Measures the control plane with a simulated fleet, on RabbitMQ + PostgreSQL and embedded, beside "
        "Optuna's RDB storage and gRPC storage proxy, which are installed into an environment of their own.",
    )
    add = parser.add_argument
    add("--tables", nargs="+", choices=TABLES, default=TABLES, help="which (default: all)")
    add("--sizes", nargs="+", type=int, default=[100, 1_000, 10_000], help="training jobs of a tuning job")
    add("--clients", nargs="+", type=int, default=[1, 8], help="training jobs at a time, processes of Optuna")
    add("--setups", nargs="+", choices=[*SETUPS], default=[*SETUPS], help="of the control plane (default: both)")
    add("--window", type=float, default=4.0, help="seconds that a rate is measured (default: 4)")
    add("--streams", type=int, default=100, help="watch streams while metric points are counted (default: 100)")
    add("--without-peers", action="store_true", help="leave Optuna out")
    add("--record", action="store_true", help="write the tables to tests/benchmarks/RESULTS.md")
    return parser.parse_args()


def _tables(arguments: argparse.Namespace, plan: Plan, folder: Path) -> list[Results]:
    """The chosen tables, in their order."""
    chosen = [name for name in _ON_A_PLANE if name in arguments.tables]
    measured: dict[str, dict[str, Any]] = {name: {} for name in chosen}
    for setup in arguments.setups if chosen else ():
        with SETUPS[setup]() as plane:
            for name in chosen:
                print(f"measuring: {name}, {setup}", flush=True)
                measured[name][setup] = _ON_A_PLANE[name](plane, plan)
    tables = []
    if "cycles" in chosen:
        peers: Mapping[str, Rates] = {}
        if not arguments.without_peers:
            print("measuring: cycles, Optuna", flush=True)
            peers = Optuna().measure(plan, folder)
        tables.append(cycles.results({**measured["cycles"], **peers}, plan, _best(peers)))
        tables.append(cycles.profiles(measured["cycles"], plan))
    if "latencies" in chosen:
        tables.append(latencies.results(measured["latencies"], plan))
    if "points" in chosen:
        tables.append(points.results(measured["points"], plan))
    if "idle" in arguments.tables:
        print("measuring: idle", flush=True)
        tables.append(idle.measure())
    if "slot" in arguments.tables:
        tables.append(dispatch.measure())
    return tables


def _best(peers: Mapping[str, Rates]) -> Rates | None:
    """The best rate of any peer, for each number of clients and size."""
    if not peers:
        return None
    keys = next(iter(peers.values()))
    best: dict[tuple[int, int], Rate] = {
        key: max((rates[key] for rates in peers.values()), key=lambda rate: rate.per_second) for key in keys
    }
    return best


if __name__ == "__main__":
    main()
