"""Where a proposal came from and what it was made for, from what is stored with every training job."""

from __future__ import annotations

import enum

from hrnn_tuner.domain.objective import Objective
from hrnn_tuner.domain.training_job import Proposal


class Origin(enum.Enum):
    """The origins of the contract."""

    UNSPECIFIED = "UNSPECIFIED"
    RANDOM = "RANDOM"
    SEQUENCE = "SEQUENCE"
    GRID = "GRID"
    START_DESIGN = "START_DESIGN"
    MODEL = "MODEL"
    PARENT = "PARENT"
    PROMOTION = "PROMOTION"


class Intent(enum.Enum):
    """The intents of the contract."""

    UNSPECIFIED = "UNSPECIFIED"
    EXPLORE = "EXPLORE"
    EXPLOIT = "EXPLOIT"


#: Where else the proposals of a strategy come from; HYPERBAND's and ASHA's are those of RANDOM.
_BY_STRATEGY = {
    "RANDOM": Origin.RANDOM,
    "HYPERBAND": Origin.RANDOM,
    "ASHA": Origin.RANDOM,
    "SOBOL": Origin.SEQUENCE,
    "GRID": Origin.GRID,
    "BAYESIAN": Origin.START_DESIGN,  # without one of the figures below
    "BAYESIAN_ASHA": Origin.START_DESIGN,
}


def origin_of(proposal: Proposal) -> Origin:
    """Where a proposal came from: its figures tell models and parents, its strategy the rest."""
    if proposal.continues:
        return Origin.PROMOTION
    if "acquisition_value" in proposal.figures:
        return Origin.MODEL
    if "parent" in proposal.figures:
        return Origin.PARENT
    return _BY_STRATEGY.get(proposal.strategy, Origin.UNSPECIFIED)


def intent_of(proposal: Proposal, objective: Objective) -> Intent:
    """Whether the predicted mean or the uncertainty promised an improvement; unspecified without a prediction."""
    mean, best = proposal.figures.get("predicted_mean"), proposal.figures.get("best_observed")
    if mean is None or best is None:
        return Intent.UNSPECIFIED
    return Intent.EXPLOIT if objective.is_better(mean, best) else Intent.EXPLORE
