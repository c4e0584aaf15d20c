"""Bayesian optimisation: a Gaussian process learns from all results which configuration to try next.

Importing this package imports neither torch nor numpy; see `strategy`.
"""

from scheduler_service.strategies.bayesian.recipe import AcquisitionDomain, Kernel, Recipe, Transform
from scheduler_service.strategies.bayesian.strategy import BayesianStrategy

__all__ = ["AcquisitionDomain", "BayesianStrategy", "Kernel", "Recipe", "Transform"]
