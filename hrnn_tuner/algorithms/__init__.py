"""What an algorithm is: a declared interface (pure data) and the import paths of the code that trains and recommends.

The API reads the declaration to check requests; only a worker resolves the code. An algorithm is announced by an entry
point in the group ``hrnn_tuner.algorithms`` or, without packaging, by the setting ``HRNN_TUNER_ALGORITHMS``.
"""

from hrnn_tuner.algorithms.contract import (
    AlgorithmError,
    DataError,
    InvalidObjectiveError,
    Recommendation,
    Recommender,
    Trainer,
    TrainingContext,
)
from hrnn_tuner.algorithms.registry import AlgorithmRegistry, load_algorithms
from hrnn_tuner.algorithms.specification import (
    Algorithm,
    Channel,
    ChannelOption,
    Hyperparameter,
    HyperparameterType,
    MetadataColumns,
    Metric,
)
from hrnn_tuner.domain.data_channel import DataChannel

__all__ = [
    "Algorithm",
    "AlgorithmError",
    "AlgorithmRegistry",
    "Channel",
    "ChannelOption",
    "DataChannel",
    "DataError",
    "Hyperparameter",
    "HyperparameterType",
    "InvalidObjectiveError",
    "MetadataColumns",
    "Metric",
    "Recommendation",
    "Recommender",
    "Trainer",
    "TrainingContext",
    "load_algorithms",
]
