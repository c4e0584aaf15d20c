"""How long a slot stands idle between two training jobs: the table ``slot`` of ``make bench``.

Runs 20 training jobs of one second, four in parallel, on four slots: once with separate processes on RabbitMQ and
PostgreSQL, once in the embedded mode. Begin and end of each training job are taken inside the trainer process, so a
gap holds everything in between: artifact, report, commit, plan, publication, delivery, start. The parallel limit is
checked at every event of the log.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from hrnn_tuner.cli.serve import EmbeddedServer
from hrnn_tuner.client import TuningClient
from hrnn_tuner.v1 import tuning_job_pb2
from tests.benchmarks.results import Results
from tests.support.postgres import PrivatePostgres
from tests.support.rabbitmq_node import RabbitMqNode
from tests.support.specifications import synthetic_spec
from tests.support.stack import SYNTHETIC, Stack

TRAINING_JOBS = 20
PARALLEL = 4
AIM_MS = 50.0


@dataclass(frozen=True)
class Result:
    """What one run showed; times in milliseconds."""

    setup: str
    gaps: list[float]
    most_active: int
    wall_s: float

    def quantile(self, q: float) -> float:
        """Quantile of the gaps by nearest rank."""
        ordered = sorted(self.gaps)
        return ordered[min(len(ordered) - 1, int(q * len(ordered)))]


def run(setup: str, client: TuningClient) -> Result:
    """Runs the tuning job and measures."""
    # A first job, not counted: every trainer process is warm and has its connections when the measured one comes.
    client.create_tuning_job(synthetic_spec("warm-up", max_training_jobs=PARALLEL * 2, max_parallel=PARALLEL))
    client.wait("warm-up", timeout_s=120)
    client.create_tuning_job(
        synthetic_spec("measured", max_training_jobs=TRAINING_JOBS, max_parallel=PARALLEL, epochs=1, epoch_seconds=1.0)
    )
    most_active = 0
    for event in client.watch_tuning_job("measured"):
        if event.WhichOneof("event") == "tuning_job":
            most_active = max(most_active, event.tuning_job.training_job_state_counters.in_progress)
    job = client.get_tuning_job("measured")
    if job.state != tuning_job_pb2.TUNING_JOB_STATE_COMPLETED or most_active > PARALLEL:
        raise SystemExit(f"{setup}: state {job.state}, {most_active} active: the limit is {PARALLEL}")
    by_slot: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for training_job in client.list_training_jobs("measured"):
        facts = json.loads((Path(training_job.artifact_uri) / "manifest.json").read_text())
        by_slot[facts["pid"]].append(facts)
    gaps = []
    for runs in by_slot.values():
        runs.sort(key=lambda facts: facts["began"])
        gaps += [1000 * (b["began"] - a["ended"]) for a, b in pairwise(runs)]
    wall = (job.end_time.ToDatetime() - job.create_time.ToDatetime()).total_seconds()
    return Result(setup, gaps, most_active, wall)


@contextmanager
def separate_processes(folder: Path) -> Iterator[TuningClient]:
    """Three services on RabbitMQ and PostgreSQL."""
    postgres = PrivatePostgres()
    node_folder = folder / "rabbitmq"
    node_folder.mkdir()
    rabbitmq = RabbitMqNode(node_folder)
    try:
        postgres.start()
        rabbitmq.start()
        url = rabbitmq.add_vhost("bench")
        with Stack(folder, database_url=postgres.url, broker_url=url, slots=PARALLEL) as stack:
            yield stack.client
    finally:
        rabbitmq.stop()
        postgres.close()


@contextmanager
def embedded(folder: Path) -> Iterator[TuningClient]:
    """One process with SQLite and the in-memory broker."""
    with (
        EmbeddedServer(data_dir=folder, listen="127.0.0.1:0", slots=PARALLEL, data_prefixes=[]) as server,
        TuningClient(server.address) as client,
    ):
        yield client


def measure() -> Results:
    """Runs both set-ups."""
    os.environ["HRNN_TUNER_ALGORITHMS"] = SYNTHETIC
    os.environ["HRNN_TUNER_LOG_LEVEL"] = "WARNING"
    rows = []
    for setup, opened in (("PostgreSQL + RabbitMQ", separate_processes), ("embedded", embedded)):
        print(f"measuring: slot, {setup}", flush=True)
        with tempfile.TemporaryDirectory() as name, opened(Path(name)) as client:
            result = run(setup, client)
        p50 = statistics.median(result.gaps)
        rows.append(
            [
                setup,
                f"{p50:.1f}",
                f"{result.quantile(0.95):.1f}",
                f"{max(result.gaps):.1f}",
                f"{result.most_active} of {PARALLEL}",
                f"{result.wall_s:.2f}",
            ]
        )
    headings = ["set-up", "gap p50 ms", "p95 ms", "max ms", "most in parallel", "wall s"]
    notes = [
        f"{TRAINING_JOBS} training jobs of a second, {PARALLEL} in parallel, in real trainer processes. Aim: p50 of "
        f"{AIM_MS:.0f} ms."
    ]
    return Results("bench slot", "Idle slot between two training jobs", headings, rows, notes)
