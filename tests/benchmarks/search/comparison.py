"""Compares methods on functions of all scales: ranks, regret beside a reference, and what can be told from chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata, wilcoxon

_DRAWS = 1000
_INTERVAL = (2.5, 97.5)


@dataclass(frozen=True)
class Interval:
    """A mean with its 95 % bootstrap interval."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:.2f} [{self.low:.2f}, {self.high:.2f}]"


def mean_ranks(losses: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Ranks of M methods, 1 the best, ties shared: means over seeds, then over functions [M].

    Args:
        losses: Of each function, the loss of every method and seed [M, seeds].
    """
    ranks: NDArray[np.float64] = np.mean([rankdata(own, axis=0).mean(axis=1) for own in losses], axis=0)
    return ranks


def normalised_regret(
    losses: NDArray[np.float64], optimum: float, reference: int, seeds: NDArray[np.intp] | None = None
) -> NDArray[np.float64]:
    """Mean regret of each method as a share of the reference's [M]; NaN where the reference has none.

    Args:
        losses: Of every method and seed of one function [M, seeds].
        optimum: The function's lowest loss.
        reference: The position of the method whose regret becomes 1.
        seeds: Which seeds count, and how often; None for each once.
    """
    chosen = losses if seeds is None else losses[:, seeds]
    regrets = np.maximum(chosen - optimum, 0.0).mean(axis=1)
    if regrets[reference] == 0:
        return np.full(len(losses), np.nan)
    return np.asarray(regrets / regrets[reference])


def regret_intervals(losses: Sequence[NDArray[np.float64]], optima: Sequence[float], reference: int) -> list[Interval]:
    """Normalised regret, the mean over functions, with intervals from draws of functions and of seeds within them.

    A function that the reference solves with every seed is left out.
    """
    rng = np.random.default_rng(0)
    means = np.nanmean(_regrets(losses, optima, reference), axis=0)
    drawn = np.array(
        [
            [
                normalised_regret(own, optimum, reference, rng.integers(own.shape[1], size=(own.shape[1],)))
                for _ in range(_DRAWS)
            ]
            for own, optimum in zip(losses, optima, strict=True)
        ]
    )  # [functions, draws, methods]
    functions = rng.integers(len(losses), size=(_DRAWS, len(losses)))
    chosen = drawn[functions, np.arange(_DRAWS)[:, None]]  # [draws, functions, methods]
    low, high = np.nanpercentile(np.nanmean(chosen, axis=1), _INTERVAL, axis=0)
    return [Interval(*map(float, values)) for values in zip(means, low, high, strict=True)]


def holm_wilcoxon(
    losses: Sequence[NDArray[np.float64]],
    optima: Sequence[float],
    reference: int,
    champion: int,
    others: Sequence[int],
) -> NDArray[np.float64]:
    """Whether the champion's normalised regret differs from that of each other one: two-sided p [M], else NaN.

    Wilcoxon's signed-rank test over functions, corrected for so many tests after Holm (1979).
    """
    regrets = _regrets(losses, optima, reference)
    regrets = regrets[~np.isnan(regrets).any(axis=1)]
    raw = [_signed_rank_p(regrets[:, champion] - regrets[:, method]) for method in others]
    found = np.full(regrets.shape[1], np.nan)
    found[list(others)] = holm(np.array(raw))
    return found


def holm(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Adjusts p-values for their number: the smallest times n, the next times n - 1, ..., never below one before."""
    order = np.argsort(p_values)
    factors = np.arange(len(p_values), 0, -1)
    adjusted = np.empty_like(p_values)
    adjusted[order] = np.minimum(np.maximum.accumulate(p_values[order] * factors), 1.0)
    return adjusted


def regret_by_family(
    losses: Mapping[str, NDArray[np.float64]], optima: Mapping[str, float], families: Mapping[str, str], reference: int
) -> dict[str, NDArray[np.float64]]:
    """Normalised regret of each method, the mean over the functions of each family [M]."""
    found: dict[str, list[NDArray[np.float64]]] = {}
    for name, own in losses.items():
        found.setdefault(families[name], []).append(normalised_regret(own, optima[name], reference))
    solved_not = {family: [own for own in regrets if not np.isnan(own).any()] for family, regrets in found.items()}
    return {family: np.mean(regrets, axis=0) for family, regrets in solved_not.items() if regrets}


def _regrets(losses: Sequence[NDArray[np.float64]], optima: Sequence[float], reference: int) -> NDArray[np.float64]:
    """Normalised regret by function and method."""
    return np.array([normalised_regret(own, low, reference) for own, low in zip(losses, optima, strict=True)])


def _signed_rank_p(differences: NDArray[np.float64]) -> float:
    """Two-sided p; 1 where nothing differs."""
    return float(wilcoxon(differences).pvalue) if np.any(differences != 0) else 1.0
