"""Tunes scikit-learn's models on its bundled data sets, cross-validated; nobody knows the optimum."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import KFold, StratifiedKFold

from hrnn_tuner.domain.search_space import Value
from tests.benchmarks.search.functions.contract import BenchFunction, Configuration, Half
from tests.benchmarks.search.functions.sklearn_models import MODELS

_LOADERS: Mapping[str, Callable[..., tuple[NDArray[np.float64], NDArray[Any]]]] = {
    "wine": load_wine,
    "breast_cancer": load_breast_cancer,
    "digits": load_digits,
    "diabetes": load_diabetes,
}
#: Slow models leave out the larger data sets: an evaluation shall take tens of milliseconds.
_TOO_SLOW = {
    "neighbours": ("digits",),
    "network": ("breast_cancer", "digits"),
    "boosting": ("wine", "digits"),
}
PAIRS = tuple((model, data) for model in MODELS for data in _LOADERS if data not in _TOO_SLOW.get(model, ()))
_MOST_ROWS = 400
_FOLDS = 3
#: What a regression that is worse than twice the variance counts.
_WORST = 2.0
#: What scikit-learn says about a training that diverged.
_DIVERGED = ("overflow", "NaN", "infinity")


def sklearn_tuning(model: str, data: str) -> BenchFunction:
    """One model on one data set: 1 - accuracy or 1 - R2, mean over folds that are always the same."""
    definition = MODELS[model]
    classifies = data != "diabetes"

    @cache
    def loss_of(items: tuple[tuple[str, Value], ...]) -> float:
        features, targets = _rows(data)
        folds = (StratifiedKFold if classifies else KFold)(_FOLDS, shuffle=True, random_state=0)
        losses = []
        with warnings.catch_warnings():
            # What does not converge in its few iterations, or overflows, is what a tuning job sees, too.
            warnings.simplefilter("ignore", ConvergenceWarning)
            warnings.simplefilter("ignore", RuntimeWarning)
            for learn, check in folds.split(features, targets):
                estimator = definition.build(dict(items), classifies)
                losses.append(_fold_loss(estimator, features, targets, learn, check))
        return float(np.mean(losses))

    def loss(configuration: Configuration) -> float:
        return loss_of(tuple(sorted(configuration.items())))

    half = Half.of(list(MODELS).index(model) + list(_LOADERS).index(data))
    return BenchFunction(f"sklearn-{model}-{data}", "sklearn", half, definition.space, loss)


def _fold_loss(
    estimator: Any,
    features: NDArray[np.float64],
    targets: NDArray[Any],
    learn: NDArray[np.intp],
    check: NDArray[np.intp],
) -> float:
    """1 - score on the rows to check; the worst value for a training that diverged."""
    try:
        score = float(estimator.fit(features[learn], targets[learn]).score(features[check], targets[check]))
    except ValueError as error:
        if not any(sign in str(error) for sign in _DIVERGED):
            raise
        return _WORST
    return min(1.0 - score, _WORST) if np.isfinite(score) else _WORST


@cache
def _rows(data: str) -> tuple[NDArray[np.float64], NDArray[Any]]:
    """Features and targets, those of a regression standardised; of larger data sets a part that is always the same."""
    features, targets = _LOADERS[data](return_X_y=True)
    if len(features) > _MOST_ROWS:
        chosen = np.random.default_rng(0).permutation(len(features))[:_MOST_ROWS]
        features, targets = features[chosen], targets[chosen]
    return features, (targets - targets.mean()) / targets.std() if data == "diabetes" else targets
