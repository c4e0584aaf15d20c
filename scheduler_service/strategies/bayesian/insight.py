"""What a tuning job's results teach, as pure functions of its history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from botorch.models import SingleTaskGP

from hrnn_tuner.domain.search_space import Value
from scheduler_service.strategies.bayesian.candidates import sobol_points
from scheduler_service.strategies.bayesian.model import ModelOfResults
from scheduler_service.strategies.bayesian.recipe import Recipe
from scheduler_service.strategies.bayesian.surrogate import predict, quiet_torch
from scheduler_service.strategies.contract import History
from scheduler_service.strategies.randomness import stream_seed
from scheduler_service.strategies.results import Floats, Results

#: Fewest observed results that say something about importance.
MIN_RESULTS = 5
#: Points of each of the two samples from which effects are estimated.
_SAMPLE = 512
_SEED = stream_seed("insight")


@dataclass(frozen=True)
class PredictedBest:
    """The configuration that the model expects most of.

    Attributes:
        configuration: Its hyperparameters.
        mean: Predicted objective value.
        deviation: How far the truth may be from it, one standard deviation.
        tried: Whether a trial has it.
    """

    configuration: Mapping[str, Value]
    mean: float
    deviation: float
    tried: bool


@dataclass(frozen=True)
class Importance:
    """The shares of the objective's variance over the space that go back to one hyperparameter.

    Attributes:
        main: By itself, in [0, 1]; these sum to at most 1.
        total: Together with what it does in interplay with others, in [0, 1].
    """

    main: float
    total: float


def predicted_best(history: History, recipe: Recipe | None = None) -> PredictedBest | None:
    """The configuration of the whole space with the best predicted mean; None with fewer than two results."""
    if len(Results.of(history).observed) < 2:
        return None
    model = ModelOfResults(history, recipe or Recipe())
    tried = {history.space.key(trial.configuration) for trial in history.known}
    with quiet_torch(_SEED):
        found = model.maximum(_Mean(model.process), lambda _: True, 0, _SEED)
        if found is None:
            raise AssertionError("every configuration is allowed")
        configuration, _ = found
        prediction = model.predict(configuration)
    return PredictedBest(
        configuration, prediction.mean, prediction.deviation, history.space.key(configuration) in tried
    )


def importances(history: History, recipe: Recipe | None = None) -> dict[str, Importance]:
    """How much each hyperparameter matters, by name: the functional analysis of variance of the model's mean.

    Hutter, Hoos and Leyton-Brown, An efficient approach for assessing hyperparameter importance (ICML 2014), with the
    Gaussian process in place of their random forest, in the scale of its transform. The shares are Sobol's indices,
    estimated as by Saltelli et al., Variance based sensitivity analysis of model output (2010), table 2: (b) for the
    main effect and Jansen's (f) for the total one. A range that does not apply everywhere counts where it applies.

    Returns:
        Empty with fewer than `MIN_RESULTS` results. All zero when the model sees no difference between configurations.
    """
    if len(Results.of(history).observed) < MIN_RESULTS:
        return {}
    model = ModelOfResults(history, recipe or Recipe())
    names = [item.name for item in history.space.ranges]
    axes = len(names)
    with quiet_torch(_SEED):
        sample = sobol_points(2 * axes, _SAMPLE, _SEED)
        first, second = sample[:, :axes], sample[:, axes:]
        at_first, at_second = _means(model, first), _means(model, second)
        variance = float(np.concatenate((at_first, at_second)).var())
        found = {}
        for axis, name in enumerate(names):
            mixed = first.copy()
            mixed[:, axis] = second[:, axis]
            at_mixed = _means(model, mixed)
            main = float((at_second * (at_mixed - at_first)).mean())
            total = float(((at_first - at_mixed) ** 2).mean()) / 2
            found[name] = Importance(_share(main, variance), _share(total, variance))
    return found


def _means(model: ModelOfResults, units: Floats) -> Floats:
    """Predicted means at points of the unit cube."""
    means, _ = predict(model.process, model.encoding.at(units).rows)
    return means


def _share(part: float, variance: float) -> float:
    """A part of a variance, in [0, 1]; estimates of small parts can come out negative."""
    return min(max(part / variance, 0.0), 1.0) if variance > 1e-12 else 0.0


class _Mean:
    """The predicted mean as a criterion to search by."""

    def __init__(self, process: SingleTaskGP) -> None:
        self._process = process

    def values(self, rows: Floats) -> Floats:
        """See `Criterion`."""
        return predict(self._process, rows)[0]

    def gradients(self, rows: Floats) -> tuple[Floats, Floats]:
        """See `Criterion`."""
        x = torch.from_numpy(rows).unsqueeze(-2).requires_grad_(True)
        means = self._process.posterior(x).mean.flatten()
        (gradients,) = torch.autograd.grad(means.sum(), x)
        return means.detach().numpy(), gradients.squeeze(-2).numpy()
