"""What a manifest says about the training of any model of the family."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hrnn_tuner.algorithms.contract import TrainingContext
from worker_service.hrnn.data.dataset import TrainingData
from worker_service.hrnn.evaluation.evaluate import Evaluation
from worker_service.hrnn.evaluation.intervals import metric_intervals


def training_facts(
    context: TrainingContext,
    data: TrainingData,
    epoch: int,
    metrics: Mapping[str, float],
    test: Evaluation | None,
    *,
    seed: int,
) -> dict[str, Any]:
    """The facts as JSON values.

    Args:
        context: The training job.
        data: What it learnt from.
        epoch: The epoch that is kept, counting from 1.
        metrics: Its metrics.
        test: The kept model on the test users, who had no part in any choice: it shows how much the validation score
            flatters the winner. None when there are none.
        seed: With which it learnt.
    """
    intervals = {} if test is None else metric_intervals(test)
    return {
        "hyperparameters": dict(context.hyperparameters),
        "objective_metric": context.objective_metric,
        "epoch": epoch,
        "metrics": dict(metrics),
        "test_metrics": None if test is None else test.metrics(),
        "test_intervals": {name: [found.low, found.high] for name, found in intervals.items()},
        "unknown_truth_share": {
            "validation": data.validation.unknown_truth_share,
            "test": data.test.unknown_truth_share,
        },
        "seed": seed,
        "split_seed": context.split_seed,
        "data_fingerprint": data.fingerprint,
    }
