"""How long and how much memory the preparation of a million interactions takes.

Run it with ``python -m tests.benchmarks.preparation``. Each format is prepared in a fresh process on one core; peak
memory is that of the whole process, libraries included. The second line of a format is another process on the same
data, which takes the prepared files.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet
from rich.console import Console
from rich.table import Table

from hrnn_tuner.algorithms import DataChannel
from worker_service.hrnn.data.cache import load_interactions

ROWS = 1_000_000
AIM_S = 5.0
AIM_MB = 1024
FILTERS: dict[str, Any] = {"event_type": "watch", "event_value_threshold": 1.0}


def write_data(folder: Path) -> list[Path]:
    """The same random rows as CSV, gzipped CSV, Parquet and a folder of ten CSV files."""
    rng = np.random.default_rng(0)
    ids = [rng.zipf(1.3, ROWS) % 100_000, rng.zipf(1.2, ROWS) % 50_000]
    join: Any = pc.binary_join_element_wise  # its stub has no texts beside arrays
    table = pa.table(
        {
            "USER_ID": join("user", pa.array(ids[0]).cast(pa.string()), "-"),
            "ITEM_ID": join("item", pa.array(ids[1]).cast(pa.string()), "-"),
            "TIMESTAMP": pa.array(1_600_000_000 + rng.integers(0, 365 * 86_400, ROWS)),
            "EVENT_TYPE": pa.array(np.array(["watch", "click", "purchase"])[rng.integers(0, 3, ROWS)]),
            "EVENT_VALUE": pa.array(rng.integers(0, 50, ROWS) / 10),
        }
    )
    paths = [folder / name for name in ("one.csv", "one.csv.gz", "one.parquet", "ten")]
    options = pyarrow.csv.WriteOptions(quoting_style="none")
    pyarrow.csv.write_csv(table, paths[0], options)
    with pa.CompressedOutputStream(str(paths[1]), "gzip") as stream:
        pyarrow.csv.write_csv(table, stream, options)
    pyarrow.parquet.write_table(table, paths[2])
    paths[3].mkdir()
    for part in range(10):
        pyarrow.csv.write_csv(table.slice(part * ROWS // 10, ROWS // 10), paths[3] / f"{part}.csv", options)
    return paths


def measure(uri: str, cache: str, filters: str) -> dict[str, Any]:
    """Prepares the data in a fresh process on one core."""
    command = [sys.executable, "-m", "tests.benchmarks.preparation", uri, cache, filters]
    return dict(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


def prepare_here(uri: str, cache: str, filters: str) -> None:
    """Prepares the data in this process and prints what it took."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    channel = DataChannel(uri, **json.loads(filters))
    began = time.perf_counter()
    interactions = load_interactions(channel, Path(cache))
    seconds = time.perf_counter() - began
    print(json.dumps({"seconds": seconds, "peak_mb": _peak_mb(), "events": len(interactions.item)}))


def _peak_mb() -> float:
    """Most memory this process ever had; getrusage would also count what its parent had when it forked."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def main() -> None:
    """Measures every format and prints a table."""
    table = Table("data", "", "events", "seconds", "peak MB", title=f"{ROWS:,} rows; aim {AIM_S:g} s, {AIM_MB} MB")
    within = True
    with tempfile.TemporaryDirectory() as folder:
        for path in write_data(Path(folder)):
            for name, filters in (("all rows", {}), ("filtered", FILTERS)):
                cache = tempfile.mkdtemp(dir=folder)
                for kind in (name, f"{name}, again"):
                    found = measure(str(path), cache, json.dumps(filters))
                    within &= found["seconds"] < AIM_S and found["peak_mb"] < AIM_MB
                    figures = f"{found['events']:,}", f"{found['seconds']:.2f}", f"{found['peak_mb']:.0f}"
                    table.add_row(path.name, kind, *figures)
    Console().print(table)
    sys.exit(0 if within else 1)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        prepare_here(*sys.argv[1:])
    else:
        main()
