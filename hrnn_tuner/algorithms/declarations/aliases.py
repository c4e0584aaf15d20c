"""The names under which Amazon Personalize knows an algorithm."""

from __future__ import annotations


def personalize_names(recipe: str) -> tuple[str, ...]:
    """The recipe itself, its ARN and the ARN of its algorithm, e.g. of ``aws-hrnn``."""
    return recipe, f"arn:aws:personalize:::recipe/{recipe}", f"arn:aws:personalize:::algorithm/{recipe}"
