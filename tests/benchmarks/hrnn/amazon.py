"""Table 1: Amazon's own notebook protocol on MovieLens 1M, beside the figures that its notebook printed.

``personalize_temporal_holdout.ipynb`` of the aws-samples, runs of 2019: all ratings as views; the newest tenth of each
user's events is held out; the deployed model's top 25 are scored by open code. Its NDCG weighs rank r by 1 / log2(r)
with the first two alike, and takes the list's own hits, sorted to the front, as the ideal. "Seen last" moves the items
that the user rated before to the end of the list of 25.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from hrnn_tuner.domain.search_space import Value
from tests.benchmarks.hrnn.datasets import interactions
from tests.benchmarks.hrnn.fitting import fit
from tests.benchmarks.hrnn.runs import run_all
from tests.benchmarks.hrnn.splits import NewestShare
from tests.benchmarks.results import Results
from tests.benchmarks.runs import Figures, Piece
from worker_service.hrnn.data.dataset import training_data
from worker_service.hrnn.data.queries import Queries
from worker_service.hrnn.evaluation.evaluate import Scorer
from worker_service.hrnn.evaluation.model_scorer import ModelScorer
from worker_service.hrnn.settings import HrnnSettings

HYPERPARAMETERS: Mapping[str, Value] = {
    "hidden_dimension": 128,
    "recency_mask": False,
    "learning_rate": 0.005,
    "dropout": 0.2,
    "epochs": 10,
    "patience": 3,
    "max_user_history_length_percentile": 1.0,
}
SEEDS = (1, 2, 3)
_LENGTH = 25
_QUERIES = 256
_COLUMNS = ("MRR", "P@5", "P@10", "P@25", "NDCG@5", "NDCG@10", "NDCG@25", "seen last: P@5", "seen last: NDCG@25")
_PUBLISHED = (
    ("aws-hrnn 2019-10", ".2776", ".1223", ".1091", ".0893", ".1879", ".2485", ".3614", ".1691", ".4212"),
    (
        "popularity, in the same notebook",
        ".0644",
        ".0198",
        ".0201",
        ".0217",
        ".0438",
        ".0655",
        ".1222",
        "",
        "",
    ),
    ("plain GRU, H=64, one run", ".2809", ".1289", ".1156", ".0948", ".1922", ".2525", ".3684", ".2032", ".4617"),
)
_TARGETS = ("asked for", ".280", ".127", "", ".095", ".190", "", ".367", ".202", "")


def amazon(jobs: int) -> Results:
    """Measures the table."""
    pieces = [Piece(f"ML-1M hold-out, seed {seed}", measure, (seed,)) for seed in SEEDS]
    found = run_all(pieces, jobs)
    values = np.array([[float(figures[name]) for name in _COLUMNS] for figures in found.values()])
    epochs = ", ".join(str(int(figures["epoch"])) for figures in found.values())
    rows = [(f"hrnn, mean of {len(SEEDS)} seeds", *(f"{value:.4f}" for value in values.mean(axis=0)))]
    rows.append(("standard deviation", *(f"{value:.4f}" for value in values.std(axis=0, ddof=1))))
    return Results(
        key="bench-hrnn amazon",
        title="MovieLens 1M, the newest tenth of every user held out (Amazon's notebook protocol)",
        headings=("model", *_COLUMNS),
        rows=[*rows, *_PUBLISHED, _TARGETS],
        notes=(
            f"hrnn: {dict(HYPERPARAMETERS)}, else defaults; seeds {SEEDS}; epochs {epochs}, chosen by precision_at_25 "
            "on validation users, a tenth of all, which do not train (Amazon's model held out a tenth, too).",
            "The notebook's popularity moves seen items out of a longer list, so those two cells do not compare.",
            "The data lack 598 events of items with fewer than 5; events of one second are in SASRec's order.",
            "The scores of own items learn that nobody rates a film twice, so hardly any seen film is in a list.",
        ),
    )


def measure(seed: int) -> Figures:
    """Trains one model and scores its lists for all users."""
    settings = HrnnSettings.from_hyperparameters(HYPERPARAMETERS)
    data = training_data(interactions("ml-1m-order"), settings, 0, NewestShare())
    fitted = fit(f"ML-1M hold-out, seed {seed}", data, HYPERPARAMETERS, seed, "precision_at_25")
    scorer = ModelScorer(fitted.training.model, data.rule)
    figures = {name: np.array(value) for name, value in notebook_metrics(scorer, data.test).items()}
    return {**figures, "epoch": np.array(fitted.epoch), "seconds": np.array(fitted.seconds)}


def notebook_metrics(scorer: Scorer, queries: Queries) -> dict[str, float]:
    """The notebook's metrics, means over queries."""
    hits, late_hits = [], []
    for start in range(0, len(queries), _QUERIES):
        part = queries[start : start + _QUERIES]
        best = scorer(part).topk(_LENGTH, dim=1).indices.numpy() + 1
        for row, (history, truth) in enumerate(zip(part.items, part.truth, strict=True)):
            hit = np.isin(best[row], truth)
            seen = np.isin(best[row], history)
            hits.append(hit)
            late_hits.append(np.concatenate((hit[~seen], hit[seen])))
    plain, late = _means(np.array(hits)), _means(np.array(late_hits))
    return {**plain, "seen last: P@5": late["P@5"], "seen last: NDCG@25": late["NDCG@25"]}


def _means(hits: NDArray[np.bool_]) -> dict[str, float]:
    """Means over queries of the metrics of lists of hits [Q, 25]."""
    ranks = np.arange(1, _LENGTH + 1)
    weights = 1 / np.maximum(1.0, np.log2(ranks))
    found = {"MRR": float((hits / ranks).max(axis=1).mean())}
    ideal = -np.sort(-hits.astype(np.float64), axis=1)
    for k in (5, 10, 25):
        found[f"P@{k}"] = float(hits[:, :k].mean())
        gain, best = (hits[:, :k] * weights[:k]).sum(axis=1), (ideal[:, :k] * weights[:k]).sum(axis=1)
        found[f"NDCG@{k}"] = float(np.divide(gain, best, out=np.zeros(len(hits)), where=best > 0).mean())
    return found
