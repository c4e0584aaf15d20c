"""The hyperparameters that say which items are new."""

from __future__ import annotations

from hrnn_tuner.algorithms.specification import Hyperparameter, HyperparameterType

#: Numbers of cold items that can be trained with, as in the published recipe.
MIN_COLD_ITEMS, MAX_COLD_ITEMS = 100, 80_000

COLD_START = (
    Hyperparameter(
        name="cold_start_max_interactions",
        type=HyperparameterType.INTEGER,
        default=15,
        minimum=1,
        tunable=False,
        description="Items with more interactions are not cold.",
    ),
    Hyperparameter(
        name="cold_start_max_duration",
        type=HyperparameterType.CONTINUOUS,
        default=5.0,
        minimum=1e-6,
        tunable=False,
        description="Days: older items are not cold. An item's age counts from its CREATION_TIMESTAMP or else from its "
        "first interaction; an item with neither is new.",
    ),
    Hyperparameter(
        name="cold_start_relative_from",
        type=HyperparameterType.CATEGORICAL,
        default="latestItem",
        choices=("latestItem", "currentTime"),
        tunable=False,
        description="To when an item's age counts: the birth of the latest item, or the time of the training.",
    ),
)
