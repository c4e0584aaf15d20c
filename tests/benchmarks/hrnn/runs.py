"""The runs of this benchmark."""

from __future__ import annotations

from collections.abc import Sequence

from tests.benchmarks.hrnn.datasets import CACHE
from tests.benchmarks.runs import Figures, Piece, Runs

RUNS = Runs(CACHE / "runs", code=("worker_service/hrnn", "tests/benchmarks/hrnn", "hrnn_tuner/algorithms"))


def run_all(pieces: Sequence[Piece], jobs: int) -> dict[str, Figures]:
    """Runs what is not kept yet, several at a time; returns the figures by name."""
    return RUNS.run_all(pieces, jobs)
