"""The choices that make up the Bayesian strategy, so that a benchmark can compare them."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from scheduler_service.strategies.start_design import StartDesign


class Kernel(enum.Enum):
    """How the objective values of two configurations go together."""

    RBF = "RBF"
    MATERN_52 = "MATERN_52"


class Transform(enum.Enum):
    """What the objective values go through before the model sees them; all but NONE end with mean 0 and variance 1."""

    YEO_JOHNSON = "YEO_JOHNSON"
    STANDARDIZE = "STANDARDIZE"
    RANK = "RANK"
    NONE = "NONE"


class AcquisitionDomain(enum.Enum):
    """Where the acquisition function is evaluated: at configurations, or at points between integers too."""

    GRID = "GRID"
    RELAXED = "RELAXED"


@dataclass(frozen=True)
class Recipe:
    """The choices.

    Attributes:
        kernel: Of the Gaussian process.
        transform: Of the objective values.
        start: What is tried before the model is asked.
        domain: Where the acquisition function is evaluated.
        fit_points: Most results that the model's hyperparameters are fitted on.
        model_points: Most results that the model is conditioned on.
        exhaustive_points: Largest space of which every untried point is evaluated.
        candidates: Points at which the acquisition function is evaluated first in a larger one.
        searches: Local searches that follow, from the best of these.
        parzen_after: Trials after which the tree-structured Parzen estimator takes over: a fit takes too long then.
        largest_table: Numbers in the table of encoded results, from which on it takes over too: categories of many
            choices have a column each, and a proposal among them takes a second at this size.
    """

    kernel: Kernel = Kernel.RBF
    transform: Transform = Transform.YEO_JOHNSON
    start: StartDesign = field(default=StartDesign(block=5, centre=True))
    domain: AcquisitionDomain = AcquisitionDomain.GRID
    fit_points: int = 200
    model_points: int = 400
    exhaustive_points: int = 5_000
    candidates: int = 512
    searches: int = 6
    parzen_after: int = 2_000
    largest_table: int = 80_000
