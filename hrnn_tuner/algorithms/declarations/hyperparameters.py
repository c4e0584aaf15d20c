"""The hyperparameters that the algorithms of the HRNN family share."""

from __future__ import annotations

from hrnn_tuner.algorithms.specification import Hyperparameter, HyperparameterType
from hrnn_tuner.domain.search_space import Scaling

#: The hyperparameters of the published recipe; the recommended ranges are those that it tunes.
RECIPE = (
    Hyperparameter(
        name="hidden_dimension",
        type=HyperparameterType.INTEGER,
        default=43,
        minimum=1,
        maximum=1024,
        recommended=(32, 256),
        tuned=(32, 256),
        scaling=Scaling.LOGARITHMIC,
        description="Width of the item embeddings and of the recurrent states. Wider models fit more and train slower.",
    ),
    Hyperparameter(
        name="bptt",
        type=HyperparameterType.INTEGER,
        default=32,
        minimum=1,
        maximum=256,
        recommended=(2, 32),
        tuned=(2, 32),
        scaling=Scaling.LOGARITHMIC,
        description="Steps that a gradient travels back in a user's history. The state is carried on beyond them.",
    ),
    Hyperparameter(
        name="recency_mask",
        type=HyperparameterType.BOOLEAN,
        default=True,
        tuned=(True, False),
        description="Whether recent events count more than old ones, as targets and as popularity; false: all alike.",
    ),
    Hyperparameter(
        name="min_user_history_length_percentile",
        type=HyperparameterType.CONTINUOUS,
        default=0.0,
        minimum=0.0,
        maximum=1.0,
        tunable=False,
        description="Training users whose history is shorter than this percentile are left out.",
    ),
    Hyperparameter(
        name="max_user_history_length_percentile",
        type=HyperparameterType.CONTINUOUS,
        default=0.99,
        minimum=0.0,
        maximum=1.0,
        tunable=False,
        description="Training users whose history is longer than this percentile are left out.",
    ),
)

#: What the network is made of.
MODEL = (
    Hyperparameter(
        name="cell",
        type=HyperparameterType.CATEGORICAL,
        default="hrnn",
        choices=("hrnn", "flat"),
        description="hrnn: gated time discount and a user level above the sessions; flat: one plain recurrent layer "
        "that sees sessions in its inputs only, faster.",
    ),
    Hyperparameter(
        name="use_query_gap",
        type=HyperparameterType.BOOLEAN,
        default=True,
        description="Whether the time since the last event, known when a recommendation is asked for, shapes it.",
    ),
    Hyperparameter(
        name="own_items",
        type=HyperparameterType.BOOLEAN,
        default=True,
        description="Whether the items of a user's own history get scores of their own, by how long ago and how often "
        "they came: learns what people come back to and what they are done with.",
    ),
    Hyperparameter(
        name="session_gap",
        type=HyperparameterType.INTEGER,
        default=1800,
        minimum=1,
        maximum=31_536_000,
        description="Seconds without an event that end a session. Replaced by the 90% quantile of the gaps where fewer "
        "than 1% or more than 60% of them exceed it.",
    ),
    Hyperparameter(
        name="recency_half_life_days",
        type=HyperparameterType.CONTINUOUS,
        default=0.0,
        minimum=0.0,
        maximum=3650.0,
        description="Days after which a target weighs half, with recency_mask; 0 takes ten times the half-life whose "
        "past popularity predicts the latest best.",
    ),
)

#: How it is trained.
TRAINING = (
    Hyperparameter(
        name="learning_rate",
        type=HyperparameterType.CONTINUOUS,
        default=0.01,
        minimum=1e-6,
        maximum=1.0,
        tuned=(0.001, 0.03),
        scaling=Scaling.LOGARITHMIC,
        description="Highest step size of Adam, after a warm-up and before a cosine decay to a tenth.",
    ),
    Hyperparameter(
        name="dropout",
        type=HyperparameterType.CONTINUOUS,
        default=0.2,
        minimum=0.0,
        maximum=0.9,
        tuned=(0.0, 0.6),
        scaling=Scaling.LINEAR,
        description="Share of the inputs and outputs of the recurrent layer that is zeroed in training.",
    ),
    Hyperparameter(
        name="batch_tokens",
        type=HyperparameterType.INTEGER,
        default=2048,
        minimum=1,
        maximum=1_048_576,
        description="Events per optimizer step: batch_tokens / bptt users are read side by side.",
    ),
    Hyperparameter(
        name="epochs",
        type=HyperparameterType.INTEGER,
        default=30,
        minimum=1,
        maximum=10_000,
        description="Passes over the training users, at most.",
    ),
    Hyperparameter(
        name="patience",
        type=HyperparameterType.INTEGER,
        default=4,
        minimum=1,
        maximum=10_000,
        description="Training ends after this many epochs without a better objective on the validation users.",
    ),
    Hyperparameter(
        name="loss",
        type=HyperparameterType.CATEGORICAL,
        default="auto",
        choices=("auto", "full", "sampled"),
        description="full: softmax over all items; sampled: over the target and negative_samples others; auto: full up "
        "to 50,000 items.",
    ),
    Hyperparameter(
        name="negative_samples",
        type=HyperparameterType.INTEGER,
        default=4096,
        minimum=1,
        maximum=65_536,
        description="Negatives shared by the events of an optimizer step, with the sampled loss.",
    ),
    Hyperparameter(
        name="precision",
        type=HyperparameterType.CATEGORICAL,
        default="auto",
        choices=("auto", "float32", "bfloat16"),
        tunable=False,
        description="To what the factors of the full softmax's matrix products are rounded, by far the largest of all; "
        "everything else is float32. auto: bfloat16 on GPUs that are faster with it, else float32.",
    ),
    Hyperparameter(
        name="seed",
        type=HyperparameterType.INTEGER,
        default=0,
        minimum=0,
        maximum=2**53 - 1,
        tunable=False,
        description="Seed of the initial weights, the order of the users and the dropout; 0 makes one for each "
        "training job of the tuning job's seed and its number. One for all compares their hyperparameters alone.",
    ),
)

#: What it is measured by.
EVALUATION = (
    Hyperparameter(
        name="split",
        type=HyperparameterType.CATEGORICAL,
        default="user_holdout",
        choices=("user_holdout", "temporal"),
        tunable=False,
        description="user_holdout: a tenth of the users validates and a tenth tests, by their newest events, and the "
        "others train with all of theirs; temporal: all users train with the first 80% of the time's events, and their "
        "first event in each of the next two tenths validates and tests, so that nothing is learnt from the future.",
    ),
    Hyperparameter(
        name="truth",
        type=HyperparameterType.CATEGORICAL,
        default="newest_tenth",
        choices=("newest_tenth", "last_item"),
        tunable=False,
        description="What user_holdout asks for: the newest tenth of a history, at least one event, or its last event "
        "only. Without meaning for temporal.",
    ),
)
