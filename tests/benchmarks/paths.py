"""Where benchmarks read and write."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
#: Of data sets, which lie beside the checkout and belong to no commit.
DATA = ROOT.parent / "shared" / "data"
RESULTS = ROOT / "tests" / "benchmarks" / "RESULTS.md"


def cache_of(benchmark: str) -> Path:
    """Where a benchmark keeps what it prepared, installed and finished."""
    return ROOT / ".cache" / benchmark
