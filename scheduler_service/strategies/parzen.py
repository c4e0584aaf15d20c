"""The tree-structured Parzen estimator: looks where good configurations are dense and the others are not.

Bergstra, Bardenet, Bengio and Kégl, Algorithms for hyper-parameter optimization (NIPS 2011), with one joint density
over all ranges instead of one per range (Falkner, Klein and Hutter, BOHB, ICML 2018). Its cost grows linearly with
the number of trials, that of a Gaussian process with the third power.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable, Sequence

import numpy as np

from hrnn_tuner.domain.inferred_scaling import stretched
from hrnn_tuner.domain.search_space import SearchSpace
from hrnn_tuner.domain.training_job import Proposal
from scheduler_service.strategies.contract import History, Reads, Strategy
from scheduler_service.strategies.parzen_density import ParzenDensity, unit_points
from scheduler_service.strategies.randomness import stream
from scheduler_service.strategies.results import Configuration, Floats, Results
from scheduler_service.strategies.start_design import StartDesign
from scheduler_service.strategies.untried import exhausted, new_configuration

START = StartDesign(block=10, centre=False)
#: Share of the ended trials that count as good, and most of them, as in Bergstra's own implementation and others'.
_GOOD_SHARE = 0.1
_MOST_GOOD = 25
#: Draws from the density of the good ones, of which the most promising is proposed.
_CANDIDATES = 64


class ParzenStrategy(Strategy):
    """Failed and pending trials count as not good, which keeps proposals away from them."""

    expensive_after = START.count

    def reads(self, space: SearchSpace) -> Reads:  # noqa: ARG002 - every space is learnt about
        """Configurations and their results."""
        return Reads.RESULTS

    def propose(self, history: History, numbers: Sequence[int], seed: int) -> list[Proposal]:
        """See `Strategy.propose`."""
        space = stretched(history.space, history.known)
        results = Results.of(history)
        learns = len(results.observed) >= START.count
        estimator = _Estimator(space, results)
        tried: set[Hashable] = {history.space.key(trial.configuration) for trial in history.known}
        proposals: list[Proposal] = []
        for number in numbers:
            if exhausted(space, tried):
                break
            if learns:
                proposal = self._learnt(space, estimator, tried, number, seed)
            else:
                proposal = self._start(space, tried, number, seed)
            proposals.append(proposal)
            tried.add(history.space.key(proposal.hyperparameters))
            estimator.add_pending(proposal.hyperparameters)
        return proposals

    def _start(self, space: SearchSpace, tried: Collection[Hashable], number: int, seed: int) -> Proposal:
        """A point of the start design."""
        configuration = new_configuration(space, tried, START.points(len(space.ranges), number, seed))
        return Proposal(configuration, "PARZEN", seed, f"point {number} of the start design")

    def _learnt(
        self, space: SearchSpace, estimator: _Estimator, tried: Collection[Hashable], number: int, seed: int
    ) -> Proposal:
        """The most promising of some draws."""
        draws = estimator.ranked(stream(seed, number, "parzen"))
        configuration = new_configuration(space, tried, draws)
        score = estimator.score(configuration)
        explanation = (
            f"tree-structured Parzen estimator, {estimator.good} of {estimator.ended} ended trials good: "
            f"density of the good ones {math.exp(min(score, 700.0)):.3g} times that of the others"
        )
        return Proposal(configuration, "PARZEN", seed, explanation, {"acquisition_value": score})


class _Estimator:
    """Two densities: of the good configurations and of all others."""

    def __init__(self, space: SearchSpace, results: Results) -> None:
        """Takes the ended trials and those pending."""
        self._space = space
        self.ended = len(results.values)
        self.good = min(math.ceil(_GOOD_SHARE * self.ended), _MOST_GOOD)
        order = np.lexsort((-results.values, results.failed))  # best first, failures last, ties by number
        units = unit_points(space, results.configurations)
        self._others = np.concatenate((units[order[self.good :]], unit_points(space, results.pending)))
        self._good_density = ParzenDensity(space, units[order[: self.good]])

    def add_pending(self, configuration: Configuration) -> None:
        """Counts one more trial as pending."""
        self._others = np.concatenate((self._others, unit_points(self._space, [configuration])))

    def ranked(self, rng: np.random.Generator) -> list[tuple[float, ...]]:
        """Draws from the density of the good ones as points of the unit cube, most promising first."""
        draws = self._good_density.draw(_CANDIDATES, rng)
        configurations = [self._space.at(tuple(draw)) for draw in draws.tolist()]
        scores = self._scores(unit_points(self._space, configurations))
        return [tuple(draws[position].tolist()) for position in np.argsort(-scores, kind="stable")]

    def score(self, configuration: Configuration) -> float:
        """Logarithm of the density of the good ones over that of the others."""
        return float(self._scores(unit_points(self._space, [configuration]))[0])

    def _scores(self, units: Floats) -> Floats:
        """`score` at points as `unit_points`."""
        return self._good_density.log(units) - ParzenDensity(self._space, self._others).log(units)
