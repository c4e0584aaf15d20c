"""The declaration of the algorithm ``popularity-count``: the same popular items for everybody."""

from __future__ import annotations

from hrnn_tuner.algorithms.declarations.aliases import personalize_names
from hrnn_tuner.algorithms.declarations.channels import INTERACTIONS
from hrnn_tuner.algorithms.declarations.hyperparameters import EVALUATION
from hrnn_tuner.algorithms.declarations.metrics import METRICS
from hrnn_tuner.algorithms.specification import Algorithm, Hyperparameter, HyperparameterType
from hrnn_tuner.domain.search_space import Scaling

_HALF_LIFE = Hyperparameter(
    name="recency_half_life_days",
    type=HyperparameterType.CONTINUOUS,
    default=0.0,
    minimum=0.0,
    maximum=3650.0,
    tuned=(1.0, 3650.0),
    scaling=Scaling.LOGARITHMIC,
    description="Days after which an event counts half; 0 counts all alike.",
)

ALGORITHM = Algorithm(
    name="popularity-count",
    aliases=personalize_names("aws-popularity-count"),
    description="Recommends the items with the most interactions, the same ones to everybody: what any other algorithm "
    "must beat. Ready in a moment.",
    hyperparameters=(_HALF_LIFE, *EVALUATION),
    metrics=METRICS,
    channels=(INTERACTIONS,),
    trainer="worker_service.hrnn.popularity:PopularityTrainer",
    recommender="worker_service.hrnn.popularity:PopularityRecommender",
)
