"""The Gaussian process that predicts the objective."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from botorch.exceptions.errors import ModelFittingError
from botorch.exceptions.warnings import BotorchWarning
from botorch.fit import fit_gpytorch_mll
from botorch.models import SingleTaskGP
from gpytorch.constraints import GreaterThan
from gpytorch.kernels import Kernel as GPyTorchKernel
from gpytorch.kernels import MaternKernel, RBFKernel
from gpytorch.mlls import ExactMarginalLogLikelihood
from gpytorch.priors import LogNormalPrior
from linear_operator.utils.warnings import NumericalWarning

from scheduler_service.strategies.bayesian.recipe import Kernel
from scheduler_service.strategies.bayesian.subset import Positions
from scheduler_service.strategies.results import Floats

#: Steps of L-BFGS-B; more improve the likelihood by less than a hundredth and take several times as long.
_FIT_ITERATIONS = 40
_MIN_LENGTH_SCALE = 0.025
#: Rows whose prediction is computed at a time, which bounds the memory.
_CHUNK = 1_024


@contextmanager
def quiet_torch(seed: int) -> Iterator[None]:
    """One thread, a generator of its own, and no warnings about numerical details; all as before afterwards.

    One thread, because sums over several are added up in an order of their own, and because training jobs need the
    cores. The seed is for the few places where BoTorch draws from torch's global generator.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
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
    part = _prior_model(kernel, dimensions, rows[fit_on], targets[fit_on])
    hyperparameters = {name: value.clone() for name, value in part.state_dict().items()}
    try:
        fit_gpytorch_mll(
            ExactMarginalLogLikelihood(part.likelihood, part),
            optimizer_kwargs={"options": {"maxiter": _FIT_ITERATIONS}},
        )
        hyperparameters = part.state_dict()
    except ModelFittingError:  # the modes of the priors, which it started from, are usable too
        pass
    model = _prior_model(kernel, dimensions, rows, targets)
    model.load_state_dict(hyperparameters)
    model.eval()
    return model


def _prior_model(kernel: Kernel, dimensions: int, rows: Floats, targets: Floats) -> SingleTaskGP:
    """A model whose hyperparameters are the modes of their priors."""
    return SingleTaskGP(
        torch.from_numpy(rows),
        torch.from_numpy(targets).unsqueeze(-1),
        covar_module=_kernel(kernel, rows.shape[1], dimensions),
        outcome_transform=None,
    )


def _kernel(kind: Kernel, columns: int, dimensions: int) -> GPyTorchKernel:
    """The kernel with a length scale per column."""
    prior = LogNormalPrior(loc=math.sqrt(2.0) + 0.5 * math.log(dimensions), scale=math.sqrt(3.0))
    constraint = GreaterThan(_MIN_LENGTH_SCALE, transform=None, initial_value=prior.mode)
    if kind is Kernel.MATERN_52:
        return MaternKernel(nu=2.5, ard_num_dims=columns, lengthscale_prior=prior, lengthscale_constraint=constraint)
    return RBFKernel(ard_num_dims=columns, lengthscale_prior=prior, lengthscale_constraint=constraint)


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
