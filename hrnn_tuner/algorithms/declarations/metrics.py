"""The metrics that every algorithm of the HRNN family reports."""

from __future__ import annotations

from hrnn_tuner.algorithms.specification import Metric
from hrnn_tuner.domain.objective import ObjectiveType

#: List lengths at which precision, gain, hit rate and recall are measured.
CUTOFFS = (5, 10, 25)


def _at_cutoffs(name: str, description: str) -> tuple[Metric, ...]:
    """One metric per list length."""
    return tuple(
        Metric(f"{name}_at_{k}", ObjectiveType.MAXIMIZE, f"{description} in the top {k}, mean over validation users.")
        for k in CUTOFFS
    )


METRICS = (
    *_at_cutoffs("precision", "Share of relevant items"),
    *_at_cutoffs("normalized_discounted_cumulative_gain", "Gain of the relevant items over their ideal order"),
    *_at_cutoffs("ndcg_truth", "Gain of the relevant items over that of a list with all that the truth has"),
    *_at_cutoffs("hit_rate", "Share of users with a relevant item"),
    *_at_cutoffs("recall", "Share of the truth that stands"),
    Metric(
        "mean_reciprocal_rank_at_25",
        ObjectiveType.MAXIMIZE,
        "1 / rank of the first relevant item in the top 25, 0 without one, mean over validation users.",
    ),
    Metric(
        "coverage",
        ObjectiveType.MAXIMIZE,
        "Share of the items of the data that stand in some validation user's top 25.",
    ),
    Metric("train_loss", ObjectiveType.MINIMIZE, "Weighted cross entropy of the epoch's training targets, in nats."),
)
