"""The loop over the steps of a chunk without any choice by the host, so that a GPU can replay it as one graph.

Every step runs the user level for all users and keeps it where a session starts. That is more arithmetic than
`recurrence.run_steps`, which looks only at those rows, and the same result; on a GPU launching a kernel costs more than
running it, and a graph launches all of them at once.
"""

from __future__ import annotations

import torch
from torch import Tensor

from worker_service.hrnn.network.recurrence import UserWeights


def dense_steps(
    inputs: Tensor,
    keep: Tensor,
    kept: Tensor,
    hidden: Tensor,
    user: Tensor,
    weight: Tensor,
    bias: Tensor,
    starts: Tensor,
    *user_weights: Tensor,
) -> tuple[Tensor, Tensor]:
    """Runs T steps of B users.

    Args:
        inputs: Projected inputs of the gates a [T, B, 3H], in the order reset, update, new.
        keep: What is left of the session state, 0 at first events, [T, B, H] or [T, B, 1].
        kept: 0 at first events, else 1 [T, B, 1].
        hidden: Session state before the first step [B, H].
        user: User state before the first step [B, H].
        weight: Recurrent weights [3H, H].
        bias: Recurrent bias [3H].
        starts: 1 where a session starts, else 0 [T, B, 1].
        *user_weights: Those of `UserWeights`; nothing for no user level.

    Returns:
        Session states and user states, [T, B, H] each; without user level the latter is the state given, in every step.
    """
    size = weight.shape[1]
    weights = UserWeights(*user_weights) if user_weights else None
    states, users = [], []
    state, level = hidden, user
    for step in range(len(inputs)):
        discounted = state * keep[step]
        if weights is not None:
            level = level * kept[step]
            finished = _gru(torch.addmm(weights.bias_ih, state, weights.weight_ih.T), level, weights, size)
            level = torch.lerp(level, finished, starts[step])
            seed = torch.addmm(weights.seed_bias, level, weights.seed_weight.T).tanh()
            discounted = discounted + seed * starts[step]
        recurrent = torch.addmm(bias, discounted, weight.T)
        state = _combined(inputs[step], recurrent, discounted, size)
        states.append(state)
        users.append(level)
    return torch.stack(states), torch.stack(users)


def _gru(inputs: Tensor, before: Tensor, weights: UserWeights, size: int) -> Tensor:
    """One step of the user level's GRU [B, H]."""
    return _combined(inputs, torch.addmm(weights.bias_hh, before, weights.weight_hh.T), before, size)


def _combined(inputs: Tensor, recurrent: Tensor, before: Tensor, size: int) -> Tensor:
    """A GRU's new state [B, H] from the inputs' and the recurrent part of its gates [B, 3H]."""
    gates = (inputs[:, : 2 * size] + recurrent[:, : 2 * size]).sigmoid()
    candidate = torch.addcmul(inputs[:, 2 * size :], gates[:, :size], recurrent[:, 2 * size :]).tanh()
    return torch.lerp(candidate, before, gates[:, size:])
