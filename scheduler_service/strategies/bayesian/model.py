"""What the results say: a fitted Gaussian process, and the proposals that follow from it."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from hrnn_tuner.domain.inferred_scaling import stretched
from hrnn_tuner.domain.parameter_range import CategoricalRange
from hrnn_tuner.domain.training_job import Proposal
from scheduler_service.strategies.bayesian import transform
from scheduler_service.strategies.bayesian.acquisition import Acquisition
from scheduler_service.strategies.bayesian.candidates import Allowed, around, every_point, quasi_random
from scheduler_service.strategies.bayesian.encoding import Encoding, Points
from scheduler_service.strategies.bayesian.local_search import Criterion, improved
from scheduler_service.strategies.bayesian.prior_mean import with_prior_mean
from scheduler_service.strategies.bayesian.recipe import AcquisitionDomain, Recipe
from scheduler_service.strategies.bayesian.subset import informative
from scheduler_service.strategies.bayesian.surrogate import fitted_model, predict, quiet_torch
from scheduler_service.strategies.chains import levelled
from scheduler_service.strategies.contract import History
from scheduler_service.strategies.randomness import stream, stream_seed
from scheduler_service.strategies.results import Configuration, Floats, Results
from scheduler_service.strategies.transfer import transfer_prior
from scheduler_service.strategies.untried import new_configuration

#: Best results whose surroundings are looked at.
_CENTRES = 5
#: Candidates around these, as a share of the quasi-random ones.
_AROUND_SHARE = 0.25
#: Results with the best predictions, one of which may be the best so far.
_BASELINE = 64


@dataclass(frozen=True)
class Prediction:
    """What the model expects of a configuration, in units of the objective.

    Attributes:
        mean: The model's mean, mapped back; where the transform is curved, that is the median.
        deviation: Half the width of the interval of one standard deviation to both sides, mapped back.
    """

    mean: float
    deviation: float


class ModelOfResults:
    """A Gaussian process fitted on the ended trials of a history; trials without a result come with each question."""

    def __init__(self, history: History, recipe: Recipe) -> None:
        """Fits the model; takes a history with at least one finite result."""
        self._recipe = recipe
        self._objective = history.objective
        seen = levelled(history)
        self._results = Results.of(seen)
        #: As they were reported, without what `levelled` adds.
        self._observed = self._results.observed if seen is history else Results.of(history).observed
        lengths = self._results.lengths
        relaxed, of_lengths = recipe.domain is AcquisitionDomain.RELAXED, bool((lengths < 1.0).any())
        space = stretched(history.space, seen.known)
        self._stretched = [
            f"{item.name} {item.scaling.value}"
            for item, given in zip(space.ranges, history.space.ranges, strict=True)
            if item != given and not isinstance(item, CategoricalRange)
        ]
        self.encoding = Encoding(space, relaxed=relaxed, lengths=of_lengths)
        self._transform = transform.fitted(recipe.transform, self._results.observed)
        points, targets = self.encoding.of(self._results.configurations, lengths), self._targets()
        used = informative(points.rows, targets, recipe.model_points)
        self._points, self._values = points.take(used), targets[used]
        fit_on = informative(self._points.rows, self._values, recipe.fit_points)
        prior = transfer_prior(self.encoding, history.objective, self._points.rows, self._values, history.parents)
        #: How far each warm-start parent is believed: 0 not at all, 1 fully.
        self.parent_weights = prior.weights
        left = self._values - prior.mean(self._points.rows)
        dimensions = len(history.space.ranges) + of_lengths
        with quiet_torch(stream_seed("fit")):
            self.process = fitted_model(recipe.kernel, dimensions, self._points.rows, left, fit_on)
            if any(prior.weights):
                with_prior_mean(self.process, prior, self._points.rows, self._values)

    @property
    def best(self) -> float:
        """The best value observed, in units of the objective."""
        return self._objective.sign * float(self._observed.max())

    def propose(self, history: History, tried: Collection[Hashable], number: int, seed: int) -> Proposal:
        """Proposes for one number.

        Args:
            history: The history that the model was made of, and since then pending trials.
            tried: Keys of all its configurations; not every one of the space.
            number: The training job's number.
            seed: Seed of the tuning job.
        """
        with quiet_torch(stream_seed(seed, number, "acquisition")):
            pending = Results.of(history).pending
            acquisition = self._acquisition(pending, number, seed)
            chosen, value = self._search(acquisition, tried, number, seed)
            prediction = self.predict(chosen)
        return self._proposal(chosen, value, prediction, len(pending), seed)

    def improvements(self, history: History, configurations: Sequence[Configuration], number: int, seed: int) -> Floats:
        """Logarithms of the improvement that whole trainings of configurations promise, as in the figures of `propose`.

        Args:
            history: The history that the model was made of, and since then pending trials.
            configurations: Neither pending nor wholly trained.
            number: The training job's number.
            seed: Seed of the tuning job.
        """
        with quiet_torch(stream_seed(seed, number, "acquisition")):
            acquisition = self._acquisition(Results.of(history).pending, number, seed)
            return acquisition.values(self.encoding.of(configurations).rows)

    def expectations(self, configuration: Configuration) -> dict[str, float]:
        """What a whole training of a configuration is expected to reach, as in the figures of `propose`."""
        with quiet_torch(stream_seed("expectations")):
            return self._figures(self.predict(configuration))

    def _figures(self, prediction: Prediction) -> dict[str, float]:
        """A prediction and what it is compared with."""
        return {
            "predicted_mean": prediction.mean,
            "predicted_sd": prediction.deviation,
            "best_observed": self.best,
        }

    def predict(self, configuration: Configuration) -> Prediction:
        """What to expect of a configuration."""
        means, deviations = predict(self.process, self.encoding.of([configuration]).rows)
        levels = means + deviations * np.array([-1.0, 0.0, 1.0])
        observed = self._results.observed
        low, high = float(observed.min()), float(observed.max())
        reach = (high - low) or abs(high) or 1.0  # the inverse of a curved transform soon leaves all that was seen
        below, mean, above = np.clip(self._transform.inverse(levels), low - reach, high + reach).tolist()
        return Prediction(self._objective.sign * mean, (above - below) / 2)

    def maximum(
        self, criterion: Criterion, allowed: Allowed, number: int, seed: int
    ) -> tuple[Configuration, float] | None:
        """The allowed configuration where a criterion is largest, as far as a search can tell; None if it met none."""
        total = self.encoding.space.cardinality
        if total is not None and total <= self._recipe.exhaustive_points:
            points = every_point(self.encoding, allowed)
            if not len(points):
                return None
            values = criterion.values(points.rows)
        else:
            points, values = self._searched(criterion, allowed, number, seed)
            if not len(points):
                return None
        best = int(np.argmax(values))
        return points.configurations[best], float(values[best])

    def _searched(self, criterion: Criterion, allowed: Allowed, number: int, seed: int) -> tuple[Points, Floats]:
        """Points that local searches led to, and the criterion there."""
        count, half = self._recipe.candidates, self._recipe.searches // 2
        centres = self._points.take(np.argsort(-self._values, kind="stable")[:_CENTRES])
        near = round(count * _AROUND_SHARE)
        starts = []
        for points in (
            quasi_random(self.encoding, allowed, count, stream_seed(seed, number, "candidates")),
            around(self.encoding, allowed, centres, near, stream(seed, number, "around")),
        ):
            values = criterion.values(points.rows) if len(points) else np.empty(0)
            order = np.argsort(-values, kind="stable")[:half]
            starts.append((points.take(order), values[order]))
        (wide, wide_values), (close, close_values) = starts
        start, values = wide.and_then(close), np.concatenate((wide_values, close_values))
        return improved(self.encoding, criterion, allowed, start, values) if len(start) else (start, values)

    def _search(
        self, acquisition: Acquisition, tried: Collection[Hashable], number: int, seed: int
    ) -> tuple[Configuration, float]:
        """The best untried configuration."""

        def untried(configuration: Configuration) -> bool:
            return self.encoding.space.key(configuration) not in tried

        found = self.maximum(acquisition, untried, number, seed)
        if found is not None:
            return found
        # A large finite space that is nearly exhausted: no candidate was new.
        rng = stream(seed, number, "walk")
        place = rng.random(len(self.encoding.space.ranges)).tolist()
        configuration = new_configuration(self.encoding.space, tried, [place])
        return configuration, float(acquisition.values(self.encoding.of([configuration]).rows)[0])

    def _targets(self) -> Floats:
        """What the model sees of each ended trial."""
        return self._transform.forward(self._results.values)

    def _acquisition(self, pending: Sequence[Configuration], number: int, seed: int) -> Acquisition:
        """What is asked for one number."""
        draws = stream_seed(seed, number, "draws") % 2**31
        return Acquisition(self.process, self._baseline().rows, self.encoding.of(pending).rows, draws)

    def _baseline(self) -> Points:
        """The results of which one may be the best so far: those of whole trainings, where there are any."""
        points = self._points
        if self.encoding.lengths:
            points = points.take(np.flatnonzero(points.rows[:, -1] == 1.0)) or points
        means, _ = predict(self.process, points.rows)
        return points.take(np.argsort(-means, kind="stable")[:_BASELINE])

    def _proposal(
        self, chosen: Configuration, value: float, prediction: Prediction, pending: int, seed: int
    ) -> Proposal:
        """The proposal with its reasons.

        It exploits when the predicted mean is better than the best value observed, and explores otherwise: then it is
        the uncertainty that promises an improvement.
        """
        total, used, failed = len(self._results.values), len(self._values), int(self._results.failed.sum())
        exploits = self._objective.is_better(prediction.mean, self.best)
        counts = f"{used} of {total} results" if used < total else f"{total} results"
        explanation = (
            f"Gaussian process ({self._recipe.kernel.value}) of {counts}, {failed} of them failures, "
            f"{pending} pending: log expected improvement {value:.3g}, {self._objective.metric_name} predicted "
            f"{prediction.mean:.4g} ± {prediction.deviation:.2g}, best so far {self.best:.4g}: "
            f"{'exploits' if exploits else 'explores'}"
        )
        if self._stretched:
            explanation += f"; the results suggest another scaling: {', '.join(self._stretched)}"
        figures = {"acquisition_value": value, **self._figures(prediction), "results": float(total)}
        return Proposal(dict(chosen), "BAYESIAN", seed, explanation, figures)
