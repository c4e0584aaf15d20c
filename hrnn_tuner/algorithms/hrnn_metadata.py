"""The declaration of the algorithm ``hrnn-metadata``: ``hrnn`` that also knows users, items and context."""

from __future__ import annotations

from hrnn_tuner.algorithms.declarations.aliases import personalize_names
from hrnn_tuner.algorithms.declarations.channels import INTERACTIONS_WITH_CONTEXT, ITEMS, USERS
from hrnn_tuner.algorithms.declarations.hyperparameters import EVALUATION, MODEL, RECIPE, TRAINING
from hrnn_tuner.algorithms.declarations.metrics import METRICS
from hrnn_tuner.algorithms.specification import Algorithm

ALGORITHM = Algorithm(
    name="hrnn-metadata",
    aliases=personalize_names("aws-hrnn-metadata"),
    description="hrnn with metadata: what is known of items adds to their embeddings, as input and as output; what is "
    "known of users to where their history starts and to what is asked; the context of an event to reading it and of a "
    "request to what is asked. Items of the items data can be recommended before anybody used them. Context is what is "
    "known when a recommendation is asked for: metrics are those of requests in the context of what came next.",
    hyperparameters=(*RECIPE, *MODEL, *TRAINING, *EVALUATION),
    metrics=METRICS,
    channels=(INTERACTIONS_WITH_CONTEXT, USERS, ITEMS),
    needs_metadata=True,
    trainer="worker_service.hrnn.trainer:MetadataTrainer",
    recommender="worker_service.hrnn.recommender:HrnnRecommender",
)
