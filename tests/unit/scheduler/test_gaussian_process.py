from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal, norm
from threadpoolctl import threadpool_info

from scheduler_service.strategies.bayesian.acquisition import Acquisition
from scheduler_service.strategies.bayesian.marginal_likelihood import LogNormal, MarginalLikelihood
from scheduler_service.strategies.bayesian.recipe import Kernel
from scheduler_service.strategies.bayesian.surrogate import fitted_model, predict, quiet_torch
from scheduler_service.strategies.results import Floats

LENGTH_SCALE, NOISE = LogNormal(1.5, 1.7, 0.025), LogNormal(-4.0, 1.0, 1e-4)
COLUMNS = 3


def sample(count: int, seed: int = 0) -> tuple[Floats, Floats]:
    """Rows, and targets that depend on two of three columns, with a little noise."""
    rng = np.random.default_rng(seed)
    rows = rng.random((count, COLUMNS))
    targets = np.sin(6 * rows[:, 0]) + rows[:, 1] ** 2 + 0.1 * rng.standard_normal(count)
    return rows, (targets - targets.mean()) / targets.std()


def likelihood(kernel: Kernel, count: int = 25) -> MarginalLikelihood:
    """That of the sample."""
    return MarginalLikelihood(kernel, *sample(count), LENGTH_SCALE, NOISE)


LOGARITHMS = st.lists(st.floats(-2.0, 2.0), min_size=COLUMNS + 1, max_size=COLUMNS + 1)


@pytest.mark.parametrize("kernel", Kernel)
@settings(deadline=None, max_examples=10)
@given(place=LOGARITHMS)
def test_the_gradient_of_the_likelihood_is_that_of_finite_differences(kernel: Kernel, place: list[float]) -> None:
    item, here, step = likelihood(kernel), np.array(place), 1e-5
    _, gradient = item.at(here)
    differences = [
        (item.at(here + step * axis)[0] - item.at(here - step * axis)[0]) / (2 * step) for axis in np.eye(COLUMNS + 1)
    ]
    assert gradient == pytest.approx(np.array(differences), rel=1e-5, abs=1e-6)


def test_the_likelihood_is_that_of_a_normal_distribution_and_of_the_priors() -> None:
    rows, targets = sample(25)

    def expected(place: Floats) -> float:
        scaled = rows / np.exp(place[:-1])
        covariance = np.exp(-0.5 * ((scaled[:, None] - scaled) ** 2).sum(-1)) + math.exp(place[-1]) * np.eye(25)
        weights = np.linalg.inv(covariance).sum(axis=0)
        mean = np.full(25, weights @ targets / weights.sum())
        prior = norm.logpdf(place[:-1], 1.5, 1.7).sum() - place[:-1].sum() + norm.logpdf(place[-1], -4, 1) - place[-1]
        return float(multivariate_normal(mean, covariance).logpdf(targets) + prior) / 25

    item, first, second = likelihood(Kernel.RBF), np.array([0.1, 0.5, 1.0, -3.0]), np.array([-0.5, 0.2, 2.0, -2.0])
    assert item.at(first)[0] - item.at(second)[0] == pytest.approx(expected(first) - expected(second))


@pytest.mark.parametrize("kernel", Kernel)
def test_no_hyperparameters_nearby_are_more_likely_than_the_fitted_ones(kernel: Kernel) -> None:
    item = likelihood(kernel, 60)
    found = item.largest()
    assert found is not None
    here = np.log(np.append(found.length_scales, found.noise))
    rng = np.random.default_rng(0)
    others = [item.at(here + 0.1 * rng.standard_normal(COLUMNS + 1))[0] for _ in range(50)]
    assert item.at(here)[0] >= max(others) - 1e-4
    assert found.length_scales[2] > 3 * found.length_scales[0]  # the third column does not matter


def test_equal_rows_and_equal_targets_are_no_obstacle() -> None:
    rows = np.full((8, COLUMNS), 0.5)
    found = MarginalLikelihood(Kernel.RBF, rows, np.zeros(8), LENGTH_SCALE, NOISE).largest()
    assert found is not None
    assert found.mean == 0.0
    assert found.noise >= NOISE.minimum


@pytest.mark.parametrize("kernel", Kernel)
def test_the_expected_improvement_is_that_of_joint_draws(kernel: Kernel) -> None:
    rows, targets = sample(8)
    baseline, pending = rows[np.argsort(-targets)[:4]], np.array([[0.3, 0.9, 0.5]])
    candidates = np.random.default_rng(2).random((40, COLUMNS))
    with quiet_torch(1):
        model = fitted_model(kernel, COLUMNS, rows, targets, np.arange(8))
        found = np.exp(Acquisition(model, baseline, pending, seed=3).values(candidates))
        joint = model.posterior(torch.from_numpy(np.concatenate((baseline, pending, candidates))))
        draws = joint.rsample(torch.Size([100_000])).squeeze(-1).numpy()
    improvements = np.maximum(draws[:, 5:] - draws[:, :5].max(axis=1, keepdims=True), 0.0).mean(axis=0)
    assert improvements.max() > 0.03
    assert found == pytest.approx(improvements, rel=0.1, abs=0.001)


@pytest.mark.parametrize("kernel", Kernel)
def test_the_gradient_of_the_acquisition_is_that_of_finite_differences(kernel: Kernel) -> None:
    rows, targets = sample(20)
    places, step = np.random.default_rng(5).random((6, COLUMNS)), 1e-6
    with quiet_torch(1):
        model = fitted_model(kernel, COLUMNS, rows, targets, np.arange(20))
        acquisition = Acquisition(model, rows[:5], places[:1] + 0.1, seed=3)
        values, gradients = acquisition.gradients(places)
        differences = np.array(
            [
                (acquisition.values(places + step * axis) - acquisition.values(places - step * axis)) / (2 * step)
                for axis in np.eye(COLUMNS)
            ]
        ).T
        assert values == pytest.approx(acquisition.values(places))
    assert gradients == pytest.approx(differences, rel=1e-3, abs=1e-3)


def test_where_nothing_is_left_to_improve_the_acquisition_stays_finite() -> None:
    rows, targets = sample(40)
    with quiet_torch(1):
        model = fitted_model(Kernel.RBF, COLUMNS, rows, targets, np.arange(40))
        values, gradients = Acquisition(model, rows, rows[:3], seed=3).gradients(rows)
    assert np.isfinite(values).all()
    assert np.isfinite(gradients).all()
    assert (values < -5).all()


def test_the_prediction_at_a_result_is_near_it_and_far_away_uncertain() -> None:
    rows, targets = sample(60)
    with quiet_torch(1):
        model = fitted_model(Kernel.RBF, COLUMNS, rows, targets, np.arange(60))
        means, deviations = predict(model, np.concatenate((rows, [[9.0, 9.0, 9.0]])))
    assert np.abs(means[:-1] - targets).mean() < 0.2
    assert deviations[:-1].max() < 0.3
    assert deviations[-1] > 0.9


def test_numerical_libraries_have_one_thread_for_as_long_as_a_model_is_at_work() -> None:
    before = [library["num_threads"] for library in threadpool_info()]
    with quiet_torch(1):
        assert {library["num_threads"] for library in threadpool_info()} == {1}
    assert [library["num_threads"] for library in threadpool_info()] == before
