"""Command line of the tables."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping
from functools import partial

import torch

from tests.benchmarks.hrnn.amazon import amazon
from tests.benchmarks.hrnn.gpu import gpu
from tests.benchmarks.hrnn.leave_last_out import leave_last_out
from tests.benchmarks.hrnn.speed import DATA_NAMES, speed
from tests.benchmarks.hrnn.temporal import ablation, temporal
from tests.benchmarks.results import Results

TABLES: Mapping[str, Callable[[int], Results]] = {
    "amazon": amazon,
    "leave-last-out": leave_last_out,
    "temporal": temporal,
    "ablation": ablation,
    "speed": speed,
    "gpu": gpu,
}


def main() -> None:
    """Measures the chosen tables."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.hrnn",
        description="Measures the hrnn algorithm on real data. All tables take some two hours on two cores; finished "
        "runs are kept below .cache/bench-hrnn, so that an interrupted command goes on where it was.",
    )
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=f"any of {', '.join(TABLES)}; default: all")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="runs at a time (default: one per core)")
    parser.add_argument("--record", action="store_true", help="write the tables to tests/benchmarks/RESULTS.md")
    parser.add_argument("--speed-data", choices=DATA_NAMES, default=DATA_NAMES[0], help="for the table speed")
    arguments = parser.parse_args()
    tables: Mapping[str, Callable[[int], Results]] = {
        **TABLES,
        "speed": partial(speed, data_name=arguments.speed_data),
    }
    unknown = sorted(set(arguments.tables) - set(TABLES))
    if unknown:
        parser.error(f"unknown tables: {', '.join(unknown)}; known: {', '.join(TABLES)}")
    for name in arguments.tables or TABLES:
        if name == "gpu" and not torch.cuda.is_available():
            print("no GPU here: the table gpu is not measured", flush=True)
            continue
        results = tables[name](arguments.jobs)
        results.show()
        if arguments.record:
            results.record()


if __name__ == "__main__":
    main()
