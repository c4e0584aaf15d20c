"""The Gaussian process that predicts the objective."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from botorch.exceptions.warnings import BotorchWarning
from botorch.models import SingleTaskGP
from gpytorch.kernels import Kernel as GPyTorchKernel
from gpytorch.kernels import MaternKernel, RBFKernel
from linear_operator.utils.warnings import NumericalWarning
from threadpoolctl import threadpool_limits

from scheduler_service.strategies.bayesian.marginal_likelihood import Hyperparameters, LogNormal, MarginalLikelihood
from scheduler_service.strategies.bayesian.recipe import Kernel
from scheduler_service.strategies.bayesian.subset import Positions
from scheduler_service.strategies.results import Floats

_MIN_LENGTH_SCALE = 0.025
_NOISE = LogNormal(-4.0, 1.0, 1e-4)
#: Rows whose prediction is computed at a time, which bounds the memory.
_CHUNK = 1_024


@contextmanager
def quiet_torch(seed: int) -> Iterator[None]:
    """One thread, a generator of its own, and no warnings about numerical details; all as before afterwards.

    One thread, because sums over several are added up in an order of their own, because training jobs need the cores,
    and because those of numpy and scipy wait busily for each other: that takes longer than such small matrices. The
    seed is for the few places where BoTorch draws from torch's global generator.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with (
            threadpool_limits(1),
            torch.random.fork_rng(devices=[]),
            warnings.catch_warnings(),
        ):
            for category in (BotorchWarning, NumericalWarning, RuntimeWarning):
                warnings.simplefilter("ignore", category)
            torch.default_generator.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(threads)


def fitted_model(kernel: Kernel, dimensions: int, rows: Floats, targets: Floats, fit_on: Positions) -> SingleTaskGP:
    """A Gaussian process with noise, conditioned on all rows.

    The priors are BoTorch's default ones: length scales grow with the square root of the dimension (Hvarfner, Hellsten
    and Nardi, Vanilla Bayesian optimization performs great in high dimensions, 2024). The dimension is the number of
    ranges, not of columns: a category of ten choices does not make points ten times as far apart.

    Args:
        kernel: The kernel.
        dimensions: Number of ranges.
        rows: Points, shape (n, columns).
        targets: Transformed values, shape (n,).
        fit_on: Positions of the rows that length scales and noise are fitted on.
    """
    length_scale = LogNormal(math.sqrt(2.0) + 0.5 * math.log(dimensions), math.sqrt(3.0), _MIN_LENGTH_SCALE)
    fitted = MarginalLikelihood(kernel, rows[fit_on], targets[fit_on], length_scale, _NOISE).largest()
    if fitted is None:  # the modes of the priors are usable too
        length_scales = np.full(rows.shape[1], max(length_scale.mode, length_scale.minimum))
        fitted = Hyperparameters(length_scales, _NOISE.mode, float(targets[fit_on].mean()))
    return _model(kernel, rows, targets, fitted)


def _model(kernel: Kernel, rows: Floats, targets: Floats, hyperparameters: Hyperparameters) -> SingleTaskGP:
    """A model with these hyperparameters."""
    columns = rows.shape[1]
    covariance: GPyTorchKernel
    covariance = (
        MaternKernel(nu=2.5, ard_num_dims=columns) if kernel is Kernel.MATERN_52 else RBFKernel(ard_num_dims=columns)
    )
    model = SingleTaskGP(
        torch.from_numpy(rows),
        torch.from_numpy(targets).unsqueeze(-1),
        covar_module=covariance,
        outcome_transform=None,
    )
    covariance.lengthscale = torch.from_numpy(hyperparameters.length_scales)
    model.likelihood.noise = hyperparameters.noise
    model.mean_module.constant = hyperparameters.mean
    model.eval()
    return model.requires_grad_(False)


def predict(model: SingleTaskGP, rows: Floats) -> tuple[Floats, Floats]:
    """Mean and standard deviation, without noise, of the transformed value at each row."""
    means, deviations = [], []
    with torch.no_grad():
        for start in range(0, len(rows), _CHUNK):
            chunk = torch.from_numpy(rows[start : start + _CHUNK])
            posterior = model.posterior(chunk.unsqueeze(-2))  # one distribution per row instead of a joint one
            means.append(posterior.mean.flatten().numpy())
            deviations.append(posterior.variance.clamp_min(0.0).sqrt().flatten().numpy())
    return np.concatenate(means), np.concatenate(deviations)
