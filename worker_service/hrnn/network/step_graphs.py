"""The loop over the steps of a chunk as a CUDA graph: one launch instead of some thousand."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor

from worker_service.hrnn.network.dense_recurrence import dense_steps

_LOG = logging.getLogger(__name__)

#: Takes and returns what `dense_steps` does.
Steps = Callable[..., tuple[Tensor, Tensor]]


class StepGraphs:
    """Records the loop for the first shape that it sees, which is that of all chunks but an epoch's last ones.

    Outputs are the graph's own memory: the next call overwrites them, so a chunk's backward pass must be done by then.
    """

    def __init__(self) -> None:
        self._shape: tuple[tuple[int, ...], ...] | None = None
        self._steps: Steps | None = None

    def find(self, *arguments: Tensor) -> Steps | None:
        """The recorded loop for the shapes of these arguments; None where there is none, also when recording fails."""
        shape = tuple(tuple(argument.shape) for argument in arguments)
        if self._shape is None:
            self._shape = shape
            self._steps = _recorded(arguments)
        return self._steps if shape == self._shape else None


def _recorded(arguments: tuple[Tensor, ...]) -> Steps | None:
    """Records forward and backward pass; None when the device refuses."""
    samples = tuple(argument.detach().clone().requires_grad_(argument.requires_grad) for argument in arguments)
    try:
        return cast(Steps, torch.cuda.make_graphed_callables(dense_steps, samples))
    except RuntimeError as error:  # the graph is a matter of speed only
        _LOG.warning("no CUDA graph could be recorded, training goes on without: %s", error)
        return None
