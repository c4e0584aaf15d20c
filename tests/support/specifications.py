"""Tuning job requests as JSON documents, for tests of the whole service."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def synthetic_spec(
    name: str,
    *,
    max_training_jobs: int = 4,
    max_parallel: int = 2,
    epochs: int = 2,
    epoch_seconds: float = 0.0,
    fail: str = "none",
) -> dict[str, Any]:
    """A tuning job of the synthetic algorithm."""
    return {
        "name": name,
        "strategy": "STRATEGY_RANDOM",
        "random_seed": "11",
        "resource_limits": {
            "max_number_of_training_jobs": max_training_jobs,
            "max_parallel_training_jobs": max_parallel,
        },
        "training_job_definitions": [
            {
                "algorithm": "synthetic",
                "objective": {"type": "OBJECTIVE_TYPE_MAXIMIZE", "metric_name": "score"},
                "static_hyperparameters": {
                    "epochs": {"integer_value": str(epochs)},
                    "epoch_seconds": {"double_value": epoch_seconds},
                    "fail": {"string_value": fail},
                },
                "parameter_ranges": {
                    "continuous_parameter_ranges": [{"name": "x", "min_value": 0, "max_value": 1}],
                    "integer_parameter_ranges": [{"name": "k", "min_value": "1", "max_value": "10"}],
                },
            }
        ],
    }


def hrnn_spec(name: str, interactions: Path, *, max_training_jobs: int = 2, epochs: int = 2) -> dict[str, Any]:
    """A small tuning job of HRNN."""
    return {
        "name": name,
        "strategy": "STRATEGY_RANDOM",
        "random_seed": "3",
        "resource_limits": {
            "max_number_of_training_jobs": max_training_jobs,
            "max_parallel_training_jobs": 2,
        },
        "training_job_definitions": [
            {
                "algorithm": "hrnn",
                "objective": {"type": "OBJECTIVE_TYPE_MAXIMIZE", "metric_name": "precision_at_25"},
                "static_hyperparameters": {
                    "epochs": {"integer_value": str(epochs)},
                    "hidden_dimension": {"integer_value": "32"},
                },
                "parameter_ranges": {
                    "integer_parameter_ranges": [{"name": "bptt", "min_value": "8", "max_value": "16"}]
                },
                "data_channels": [{"name": "interactions", "uri": str(interactions)}],
            }
        ],
    }
