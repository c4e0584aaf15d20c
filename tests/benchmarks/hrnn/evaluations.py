"""Evaluations of models as the figures of runs, and as cells of tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.runs import Figures
from worker_service.hrnn.evaluation.evaluate import Evaluation
from worker_service.hrnn.evaluation.intervals import bootstrap_interval


def to_figures(evaluation: Evaluation) -> Figures:
    """An evaluation as arrays."""
    return {
        "relevance": evaluation.relevance,
        "truth_sizes": evaluation.truth_sizes,
        "users": evaluation.users,
        "coverage": np.array(evaluation.coverage),
    }


def from_figures(figures: Figures) -> Evaluation:
    """Inverse of `to_figures`."""
    return Evaluation(figures["relevance"], figures["truth_sizes"], figures["users"], float(figures["coverage"]))


def cell(evaluations: Sequence[Evaluation], metric: str) -> str:
    """Mean over seeds, with the interval over users."""
    found = bootstrap_interval(_means(evaluations, metric), evaluations[0].users)
    return f"{found.mean:.4f} [{found.low:.4f}, {found.high:.4f}]"


def difference(ours: Sequence[Evaluation], theirs: Sequence[Evaluation], metric: str) -> str:
    """How much better ours are, and whether that can be said; both are of the same queries."""
    found = bootstrap_interval(_means(ours, metric) - _means(theirs, metric), ours[0].users)
    verdict = "" if found.low > 0 or found.high < 0 else ": a tie cannot be excluded"
    return f"{found.mean:+.4f} [{found.low:+.4f}, {found.high:+.4f}]{verdict}"


def _means(evaluations: Sequence[Evaluation], metric: str) -> NDArray[np.float64]:
    """The metric of each query, as its mean over seeds."""
    return np.asarray(np.mean([evaluation.per_query(metric) for evaluation in evaluations], axis=0))
