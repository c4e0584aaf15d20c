"""Variants of the Bayesian strategy, each with one choice that is not the default one."""

from __future__ import annotations

from collections.abc import Mapping

from scheduler_service.strategies.bayesian.recipe import AcquisitionDomain, Kernel, Recipe, Transform
from scheduler_service.strategies.start_design import StartDesign

RECIPES: Mapping[str, Recipe] = {
    "matern-kernel": Recipe(kernel=Kernel.MATERN_52),
    "standardized-values": Recipe(transform=Transform.STANDARDIZE),
    "ranked-values": Recipe(transform=Transform.RANK),
    "between-integers": Recipe(domain=AcquisitionDomain.RELAXED),
    "start-of-8": Recipe(start=StartDesign(block=8, centre=False)),
    "start-of-3": Recipe(start=StartDesign(block=3, centre=True)),
}
