"""Table 2: MovieLens 1M, every user's last event, among all items but those seen before."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hrnn_tuner.domain.search_space import Value
from tests.benchmarks.hrnn.datasets import interactions
from tests.benchmarks.hrnn.fitting import fit
from tests.benchmarks.hrnn.runs import run_all
from tests.benchmarks.hrnn.splits import LeaveLastOut
from tests.benchmarks.results import Results
from tests.benchmarks.runs import Figures, Piece
from worker_service.hrnn.data.dataset import training_data
from worker_service.hrnn.evaluation.evaluate import evaluate
from worker_service.hrnn.evaluation.intervals import metric_intervals
from worker_service.hrnn.evaluation.model_scorer import ModelScorer
from worker_service.hrnn.evaluation.without_seen import WithoutSeen
from worker_service.hrnn.settings import HrnnSettings

HYPERPARAMETERS: Mapping[str, Value] = {
    "hidden_dimension": 128,
    "recency_mask": False,
    "learning_rate": 0.005,
    "dropout": 0.3,
    "epochs": 12,
    "patience": 3,
    "max_user_history_length_percentile": 1.0,
}
SEEDS = (1,)
_HR, _NDCG = "hit_rate_at_10", "normalized_discounted_cumulative_gain_at_10"
_PUBLISHED = (
    ("SASRec+ (Klenitskiy & Vasilev 2023)", ".3152", ".1821"),
    ("gSASRec", ".3003", ".1726"),
    ("BERT4Rec (Klenitskiy & Vasilev 2023)", ".2843", ".1537"),
    ("SASRec (Klenitskiy & Vasilev 2023)", ".2500", ".1341"),
    ("plain GRU, H=64, one run", ".2891", ".1637"),
)


def leave_last_out(jobs: int) -> Results:
    """Measures the table."""
    found = run_all([Piece(f"ML-1M leave-last-out, seed {seed}", measure, (seed,)) for seed in SEEDS], jobs)
    rows = [
        (name.replace("ML-1M leave-last-out", "hrnn"), *(_cell(figures[metric]) for metric in (_HR, _NDCG)))
        for name, figures in found.items()
    ]
    epochs = ", ".join(str(int(figures["epoch"])) for figures in found.values())
    return Results(
        key="bench-hrnn leave-last-out",
        title="MovieLens 1M, leave last out, all items ranked, seen ones left out",
        headings=("model", "HR@10 [95%]", "NDCG@10 [95%]"),
        rows=[*rows, *_PUBLISHED],
        notes=(
            f"hrnn: {dict(HYPERPARAMETERS)}, else defaults; epoch {epochs}, chosen by NDCG@10 on the event before.",
        ),
    )


def measure(seed: int) -> Figures:
    """Trains one model and ranks every user's last event."""
    settings = HrnnSettings.from_hyperparameters(HYPERPARAMETERS)
    data = training_data(interactions("ml-1m-order"), settings, 0, LeaveLastOut())
    fitted = fit(f"ML-1M leave-last-out, seed {seed}", data, HYPERPARAMETERS, seed, _NDCG)
    scorer = WithoutSeen(ModelScorer(fitted.training.model, data.rule))
    intervals = metric_intervals(evaluate(scorer, data.test, len(data.catalogue), data.total_items))
    bounds = {name: np.array((found.mean, found.low, found.high)) for name, found in intervals.items()}
    return {**bounds, "epoch": np.array(fitted.epoch)}


def _cell(bounds: np.ndarray[tuple[int], np.dtype[np.float64]]) -> str:
    """A mean with its interval."""
    return f"{bounds[0]:.4f} [{bounds[1]:.4f}, {bounds[2]:.4f}]"
