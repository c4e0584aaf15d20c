"""Scikit-learn's models with the hyperparameters that people tune, small enough to train in milliseconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sklearn.decomposition import PCA
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor
from sklearn.linear_model import SGDClassifier, SGDRegressor
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from hrnn_tuner.domain.search_space import (
    CategoricalRange,
    Condition,
    ContinuousRange,
    IntegerRange,
    Scaling,
    SearchSpace,
)

_LINEAR, _LOG = Scaling.LINEAR, Scaling.LOGARITHMIC
#: Keyword arguments of a model.
_Settings = dict[str, Any]


@dataclass(frozen=True)
class Model:
    """A model to tune.

    Attributes:
        space: Its hyperparameters.
        build: Makes an unfitted estimator from a configuration; the second argument says whether it is a classifier.
    """

    space: SearchSpace
    build: Callable[[_Settings, bool], Any]


def _svm(settings: _Settings, classifies: bool) -> Any:
    return make_pipeline(StandardScaler(), (SVC if classifies else SVR)(max_iter=2000, **settings))


def _tree(settings: _Settings, classifies: bool) -> Any:
    return (DecisionTreeClassifier if classifies else DecisionTreeRegressor)(random_state=0, **settings)


def _neighbours(settings: _Settings, classifies: bool) -> Any:
    scaler = {"standard": StandardScaler, "minmax": MinMaxScaler, "robust": RobustScaler}[settings.pop("scaler")]()
    projection = PCA(settings.pop("explained"), svd_solver="full", random_state=0)
    model = (KNeighborsClassifier if classifies else KNeighborsRegressor)(**settings)
    return make_pipeline(scaler, projection, model)


def _linear(settings: _Settings, classifies: bool) -> Any:
    model = SGDClassifier if classifies else SGDRegressor
    return make_pipeline(
        StandardScaler(), model(penalty="elasticnet", max_iter=20, tol=None, random_state=0, **settings)
    )


def _network(settings: _Settings, classifies: bool) -> Any:
    width = settings.pop("width")
    model = (MLPClassifier if classifies else MLPRegressor)(
        hidden_layer_sizes=(width,), random_state=0, n_iter_no_change=1000, **settings
    )
    return make_pipeline(StandardScaler(), model)


def _boosting(settings: _Settings, classifies: bool) -> Any:
    return (GradientBoostingClassifier if classifies else GradientBoostingRegressor)(random_state=0, **settings)


MODELS: Mapping[str, Model] = {
    "svm": Model(
        SearchSpace(
            (
                CategoricalRange("kernel", ("rbf", "poly", "sigmoid")),
                ContinuousRange("C", 1e-3, 1e3, _LOG),
                ContinuousRange("gamma", 1e-5, 10.0, _LOG),
                IntegerRange("degree", 2, 5, _LINEAR, Condition("kernel", ("poly",))),
                ContinuousRange("coef0", 0.0, 1.0, _LINEAR, Condition("kernel", ("poly", "sigmoid"))),
            )
        ),
        _svm,
    ),
    "tree": Model(
        SearchSpace(
            (
                IntegerRange("max_depth", 1, 20, _LINEAR),
                IntegerRange("min_samples_leaf", 1, 60, _LOG),
                ContinuousRange("max_features", 0.1, 1.0, _LINEAR),
                ContinuousRange("ccp_alpha", 1e-5, 0.1, _LOG),
                CategoricalRange("splitter", ("best", "random")),
            )
        ),
        _tree,
    ),
    "neighbours": Model(
        SearchSpace(
            (
                IntegerRange("n_neighbors", 1, 60, _LOG),
                CategoricalRange("weights", ("uniform", "distance")),
                CategoricalRange("metric", ("euclidean", "manhattan", "chebyshev", "cosine")),
                CategoricalRange("scaler", ("standard", "minmax", "robust")),
                ContinuousRange("explained", 0.3, 0.99, _LINEAR),
            )
        ),
        _neighbours,
    ),
    "linear": Model(
        SearchSpace(
            (
                ContinuousRange("alpha", 1e-6, 10.0, _LOG),
                ContinuousRange("l1_ratio", 0.0, 1.0, _LINEAR),
                ContinuousRange("eta0", 1e-4, 1.0, _LOG),
                CategoricalRange("learning_rate", ("constant", "invscaling", "adaptive")),
                ContinuousRange("power_t", 0.05, 1.0, _LINEAR, Condition("learning_rate", ("invscaling",))),
            )
        ),
        _linear,
    ),
    "network": Model(
        SearchSpace(
            (
                IntegerRange("width", 4, 64, _LOG),
                ContinuousRange("alpha", 1e-6, 1.0, _LOG),
                ContinuousRange("learning_rate_init", 1e-4, 0.1, _LOG),
                IntegerRange("batch_size", 16, 128, _LOG),
                CategoricalRange("activation", ("relu", "tanh", "logistic")),
                IntegerRange("max_iter", 3, 20, _LINEAR),
            )
        ),
        _network,
    ),
    "boosting": Model(
        SearchSpace(
            (
                ContinuousRange("learning_rate", 0.01, 1.0, _LOG),
                IntegerRange("n_estimators", 3, 30, _LINEAR),
                IntegerRange("max_depth", 1, 5, _LINEAR),
                ContinuousRange("subsample", 0.3, 1.0, _LINEAR),
                ContinuousRange("max_features", 0.2, 1.0, _LINEAR),
            )
        ),
        _boosting,
    ),
}
