"""The declaration of the algorithm ``hrnn-coldstart``: ``hrnn-metadata`` that recommends new items."""

from __future__ import annotations

from dataclasses import replace

from hrnn_tuner.algorithms.declarations.aliases import personalize_names
from hrnn_tuner.algorithms.declarations.channels import INTERACTIONS_WITH_CONTEXT, ITEMS, USERS
from hrnn_tuner.algorithms.declarations.cold_start import COLD_START, MAX_COLD_ITEMS, MIN_COLD_ITEMS
from hrnn_tuner.algorithms.declarations.hyperparameters import EVALUATION, MODEL, RECIPE, TRAINING
from hrnn_tuner.algorithms.declarations.metrics import METRICS
from hrnn_tuner.algorithms.specification import Algorithm

#: The published recipe's default; that of ``hrnn`` is 43.
_HIDDEN_DIMENSION = 149

ALGORITHM = Algorithm(
    name="hrnn-coldstart",
    aliases=personalize_names("aws-hrnn-coldstart"),
    description="hrnn-metadata for new items: it recommends cold items only, those of the items data that are "
    f"young and have few interactions, and scores them by their metadata. There must be {MIN_COLD_ITEMS} to "
    f"{MAX_COLD_ITEMS:,} of them. Metrics are those of a ranking of all items by their metadata alone, as if every one "
    "of them were new.",
    hyperparameters=(
        *(replace(item, default=_HIDDEN_DIMENSION) if item.name == "hidden_dimension" else item for item in RECIPE),
        *COLD_START,
        *MODEL,
        *TRAINING,
        *EVALUATION,
    ),
    metrics=METRICS,
    channels=(INTERACTIONS_WITH_CONTEXT, USERS, replace(ITEMS, required=True)),
    trainer="worker_service.hrnn.trainer:ColdstartTrainer",
    recommender="worker_service.hrnn.recommender:HrnnRecommender",
)
