"""The course of the learning rate over a training job."""

from __future__ import annotations

import math

_WARM_UP_STEPS = 100
#: Short training jobs warm up for this share of their steps instead: a small data set has some twenty steps in an
#: epoch, and a hundred would be a sixth of the whole training.
_WARM_UP_SHARE = 0.02
_FINAL_FACTOR = 0.1


def learning_rate_factor(step: int, steps: int) -> float:
    """Factor on the highest learning rate: a linear warm-up, then half a cosine down to a tenth.

    Args:
        step: Steps taken so far, from 0.
        steps: Steps of the whole training job, at least 1, if it is not stopped early.
    """
    warm_up = max(1.0, min(_WARM_UP_STEPS, steps * _WARM_UP_SHARE))
    if step < warm_up:
        return (step + 1) / (warm_up + 1)
    progress = min(1.0, (step - warm_up) / max(1.0, steps - warm_up))
    return _FINAL_FACTOR + (1.0 - _FINAL_FACTOR) * 0.5 * (1.0 + math.cos(math.pi * progress))
