"""The declaration of the algorithm ``hrnn``: hierarchical recurrent recommendations from timestamped interactions."""

from __future__ import annotations

from hrnn_tuner.algorithms.declarations.aliases import personalize_names
from hrnn_tuner.algorithms.declarations.channels import INTERACTIONS
from hrnn_tuner.algorithms.declarations.hyperparameters import EVALUATION, MODEL, RECIPE, TRAINING
from hrnn_tuner.algorithms.declarations.metrics import METRICS
from hrnn_tuner.algorithms.specification import Algorithm

ALGORITHM = Algorithm(
    name="hrnn",
    aliases=personalize_names("aws-hrnn"),
    description="Hierarchical recurrent neural network that recommends the next items from a user's timestamped "
    "history. Sessions, time gaps and a user-level state shape what it remembers.",
    hyperparameters=(*RECIPE, *MODEL, *TRAINING, *EVALUATION),
    metrics=METRICS,
    channels=(INTERACTIONS,),
    trainer="worker_service.hrnn.trainer:HrnnTrainer",
    recommender="worker_service.hrnn.recommender:HrnnRecommender",
)
