"""An algorithm with six hyperparameters that nothing trains: the fleet only pretends to."""

from __future__ import annotations

from typing import Any

from hrnn_tuner.algorithms.specification import Algorithm, Hyperparameter, HyperparameterType, Metric
from hrnn_tuner.domain.objective import ObjectiveType
from hrnn_tuner.domain.scaling import Scaling
from hrnn_tuner.domain.search_space import CategoricalRange, ContinuousRange, IntegerRange, ParameterRange

METRIC = "score"
#: For HRNN_TUNER_ALGORITHMS.
LOCATION = "tests.benchmarks.control_plane.algorithm:ALGORITHM"
_LOSSES = ("cross-entropy", "bpr", "top1")

ALGORITHM = Algorithm(
    name="simulated",
    description="Six hyperparameters and one metric.",
    hyperparameters=(
        Hyperparameter("learning_rate", HyperparameterType.CONTINUOUS, 1e-3, "Step.", minimum=1e-4, maximum=1e-1),
        Hyperparameter("dropout", HyperparameterType.CONTINUOUS, 0.1, "Share.", minimum=0.0, maximum=0.5),
        Hyperparameter("momentum", HyperparameterType.CONTINUOUS, 0.9, "Memory.", minimum=0.0, maximum=1.0),
        Hyperparameter("hidden_dimension", HyperparameterType.INTEGER, 64, "Width.", minimum=32, maximum=512),
        Hyperparameter("layers", HyperparameterType.INTEGER, 1, "Depth.", minimum=1, maximum=8),
        Hyperparameter("loss", HyperparameterType.CATEGORICAL, "bpr", "What is minimised.", choices=_LOSSES),
    ),
    metrics=(Metric(METRIC, ObjectiveType.MAXIMIZE, "Any number."),),
    channels=(),
    trainer="tests.benchmarks.control_plane.fleet:Fleet",  # in place of one: real workers are never asked for it
)

#: The search space of a tuning job that is stored without the API.
RANGES: tuple[ParameterRange, ...] = (
    ContinuousRange("learning_rate", 1e-4, 1e-1, Scaling.LOGARITHMIC),
    ContinuousRange("dropout", 0.0, 0.5),
    ContinuousRange("momentum", 0.0, 1.0),
    IntegerRange("hidden_dimension", 32, 512),
    IntegerRange("layers", 1, 8),
    CategoricalRange("loss", _LOSSES),
)


def request(name: str, *, max_training_jobs: int, max_parallel: int) -> dict[str, Any]:
    """The same as a request to the API: random search over the six."""
    return {
        "name": name,
        "strategy": "STRATEGY_RANDOM",
        "random_seed": "1",
        "resource_limits": {
            "max_number_of_training_jobs": max_training_jobs,
            "max_parallel_training_jobs": max_parallel,
        },
        "training_job_definitions": [
            {
                "algorithm": ALGORITHM.name,
                "objective": {"type": "OBJECTIVE_TYPE_MAXIMIZE", "metric_name": METRIC},
                "parameter_ranges": {
                    "continuous_parameter_ranges": [
                        {
                            "name": "learning_rate",
                            "min_value": 1e-4,
                            "max_value": 1e-1,
                            "scaling_type": "SCALING_TYPE_LOGARITHMIC",
                        },
                        {"name": "dropout", "min_value": 0.0, "max_value": 0.5},
                        {"name": "momentum", "min_value": 0.0, "max_value": 1.0},
                    ],
                    "integer_parameter_ranges": [
                        {"name": "hidden_dimension", "min_value": "32", "max_value": "512"},
                        {"name": "layers", "min_value": "1", "max_value": "8"},
                    ],
                    "categorical_parameter_ranges": [
                        {"name": "loss", "values": [{"string_value": loss} for loss in _LOSSES]}
                    ],
                },
            }
        ],
    }
