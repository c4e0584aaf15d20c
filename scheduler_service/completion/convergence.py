"""Whether a search has converged: by its last training jobs, and by a bound on what is left to find.

The bound is that of L. de Haan, "Estimation of the minimum of a function using order statistics" (JASA 76, 1981), for
the best value and the k-th best one in place of the second. It takes the objective to be quadratic at its optimum and
the values to be those of independent uniform draws. A grid's or a model's are not; for them it is a rule of thumb, and
the reason why it is not asked alone.
"""

from __future__ import annotations

from collections.abc import Sequence

#: Training jobs in a row without an improvement after which a search may have converged.
QUIET_TRAINING_JOBS = 10
#: The bound looks at the best value and at this one: the second best alone would be too much a matter of luck.
RANK = 5
#: Probability that an optimum lies beyond the bound.
RISK = 0.1


def left_to_find(best_values: Sequence[float], dimensions: int) -> float:
    """How far the optimum is from the best value, at most, with probability 1 - `RISK`.

    Near a quadratic optimum in d dimensions, the share of the search space within a distance y of the optimal value
    grows as y^(d/2). So the best of the k - 1 values within the distance of the k-th best lies, relative to that one,
    at most (1 - RISK^(1/(k-1)))^(2/d) from the optimum.

    Args:
        best_values: The best `RANK` objective values, the best first.
        dimensions: Number of tuned hyperparameters, at least 1.
    """
    ratio: float = (1.0 - RISK ** (1.0 / (len(best_values) - 1))) ** (2.0 / dimensions)
    return abs(best_values[0] - best_values[-1]) * ratio / (1.0 - ratio)


def has_converged(not_improving: int, best_values: Sequence[float], dimensions: int, share: float) -> bool:
    """Whether nothing is likely to be found any more that would be an improvement.

    Args:
        not_improving: Training jobs in a row without an improvement.
        best_values: The best objective values, the best first; `RANK` of them unless there are fewer.
        dimensions: Number of tuned hyperparameters, at least 1.
        share: What an improvement is, relative to the best value.
    """
    if not_improving < QUIET_TRAINING_JOBS or len(best_values) < RANK:
        return False
    return left_to_find(best_values, dimensions) <= share * abs(best_values[0])
