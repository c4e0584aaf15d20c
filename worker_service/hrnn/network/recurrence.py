"""The loop over the steps of a chunk, with its gradient written out.

Small matrices make automatic differentiation cost several times the arithmetic: every operation of every step becomes a
node, and every step adds to the weights' gradients on its own. Here a step is a handful of in-place operations, and the
weights' gradients are one product over all steps.

Notation of a step: h before, d = keep * h (+ seed where a session starts), gates r and z, candidate n, new h. With
``p = W d + b`` the recurrent part and ``a`` the inputs' part::

    r, z = sigmoid(a_rz + p_rz);  n = tanh(a_n + r p_n);  h = n + z (d - n)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


class SessionStarts(NamedTuple):
    """What is kept of the sessions that start at one step, one row for each of the R users concerned."""

    rows: Tensor
    finished: Tensor
    before: Tensor
    gates: Tensor
    candidate: Tensor
    recurrent: Tensor
    level: Tensor
    seed: Tensor


class UserWeights(NamedTuple):
    """Weights of the user level: a GRU in torch's layout, and the seed of a session."""

    weight_ih: Tensor
    weight_hh: Tensor
    bias_ih: Tensor
    bias_hh: Tensor
    seed_weight: Tensor
    seed_bias: Tensor


def _start_sessions(hidden: Tensor, user: Tensor, rows: Tensor, weights: UserWeights) -> SessionStarts:
    """Moves the finished sessions of some rows into the user level and seeds the next ones."""
    size = hidden.shape[1]
    finished, before = hidden[rows], user[rows]
    inputs = torch.addmm(weights.bias_ih, finished, weights.weight_ih.T)
    recurrent = torch.addmm(weights.bias_hh, before, weights.weight_hh.T)
    gates = (inputs[:, : 2 * size] + recurrent[:, : 2 * size]).sigmoid_()
    own = recurrent[:, 2 * size :]
    candidate = torch.addcmul(inputs[:, 2 * size :], gates[:, :size], own).tanh_()
    level = torch.lerp(candidate, before, gates[:, size:])
    seed = torch.addmm(weights.seed_bias, level, weights.seed_weight.T).tanh_()
    return SessionStarts(rows, finished, before, gates, candidate, own, level, seed)


class _SessionGradients:
    """Collects what the user level's weights need, row by row, until one product makes their gradients."""

    def __init__(self, weights: UserWeights) -> None:
        self._weights = weights
        self._seeds: list[tuple[Tensor, Tensor]] = []
        self._inputs: list[tuple[Tensor, Tensor]] = []
        self._recurrents: list[tuple[Tensor, Tensor]] = []

    def backward(self, kept: SessionStarts, grad_seed: Tensor, grad_level: Tensor) -> tuple[Tensor, Tensor]:
        """Gradients of the finished sessions' states and of the users' earlier states, both [R, H]."""
        size = grad_seed.shape[1]
        grad_seed = grad_seed * (1 - kept.seed.square())
        grad_level = torch.addmm(grad_level, grad_seed, self._weights.seed_weight)
        reset, update = kept.gates[:, :size], kept.gates[:, size:]
        grad_candidate = grad_level * (1 - update) * (1 - kept.candidate.square())
        grad_update = grad_level * (kept.before - kept.candidate) * update * (1 - update)
        grad_reset = grad_candidate * kept.recurrent * reset * (1 - reset)
        grad_inputs = torch.cat((grad_reset, grad_update, grad_candidate), dim=1)
        grad_recurrent = torch.cat((grad_reset, grad_update, grad_candidate * reset), dim=1)
        self._seeds.append((grad_seed, kept.level))
        self._inputs.append((grad_inputs, kept.finished))
        self._recurrents.append((grad_recurrent, kept.before))
        grad_before = torch.addmm(grad_level * update, grad_recurrent, self._weights.weight_hh)
        return grad_inputs @ self._weights.weight_ih, grad_before

    def of_weights(self) -> UserWeights:
        """Gradients of the weights."""
        if not self._seeds:
            return UserWeights(*(torch.zeros_like(weight) for weight in self._weights))
        products, sums = [], []
        for pairs in (self._inputs, self._recurrents, self._seeds):
            gradient, value = (torch.cat(parts) for parts in zip(*pairs, strict=True))
            products.append(gradient.T @ value)
            sums.append(gradient.sum(dim=0))
        return UserWeights(products[0], products[1], sums[0], sums[1], products[2], sums[2])


class _Recurrence(torch.autograd.Function):
    """See `run_steps`."""

    @staticmethod
    def forward(
        ctx: Any,
        inputs: Tensor,
        keep: Tensor,
        kept: Tensor,
        hidden: Tensor,
        user: Tensor,
        weight: Tensor,
        bias: Tensor,
        starts: Sequence[Tensor | None],
        firsts: Sequence[bool],
        initial: Tensor | None,
        *user_weights: Tensor,
    ) -> tuple[Tensor, Tensor]:
        steps, batch, size = inputs.shape[0], inputs.shape[1], inputs.shape[2] // 3
        weights = UserWeights(*user_weights) if user_weights else None
        discounted, candidates, states = (inputs.new_empty(steps, batch, size) for _ in range(3))
        users = inputs.new_empty(steps if weights else 0, batch, size)
        gates = inputs.new_empty(steps, batch, 2 * size)
        recurrents = inputs.new_empty(steps, batch, 3 * size)
        sessions: list[SessionStarts | None] = [None] * steps
        level, transposed = user, weight.T
        for step in range(steps):
            before = states[step - 1] if step else hidden
            state = torch.mul(before, keep[step], out=discounted[step])
            if initial is not None and firsts[step]:
                state += initial[step]
            if weights is not None:
                level = users[step].copy_(level)
                if firsts[step]:
                    level *= kept[step]
                rows = starts[step]
                if rows is not None:
                    session = _start_sessions(before, level, rows, weights)
                    level.index_copy_(0, rows, session.level)
                    state.index_add_(0, rows, session.seed)
                    sessions[step] = session
            recurrent = torch.addmm(bias, state, transposed, out=recurrents[step])
            gate = torch.add(inputs[step, :, : 2 * size], recurrent[:, : 2 * size], out=gates[step]).sigmoid_()
            torch.addcmul(inputs[step, :, 2 * size :], gate[:, :size], recurrent[:, 2 * size :], out=candidates[step])
            torch.lerp(candidates[step].tanh_(), state, gate[:, size:], out=states[step])
        ctx.sessions, ctx.firsts, ctx.user_weights, ctx.starts = sessions, firsts, weights, initial is not None
        ctx.save_for_backward(keep, kept, hidden, weight, discounted, candidates, states, gates, recurrents)
        return states, users

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_states: Tensor, grad_users: Tensor) -> tuple[Tensor | None, ...]:
        keep, kept, hidden, weight, discounted, candidates, states, gates, recurrents = ctx.saved_tensors
        steps, size = states.shape[0], states.shape[2]
        reset, update = gates.split(size, dim=2)
        # What each gradient is multiplied by, for all steps at once.
        by_candidate = (1 - update) * (1 - candidates.square())
        by_update = (discounted - candidates) * update * (1 - update)
        by_reset = recurrents[..., 2 * size :] * reset * (1 - reset)
        grad_inputs, grad_recurrent = torch.empty_like(recurrents), torch.empty_like(recurrents)
        grad_discounted = torch.empty_like(states)
        sessions = None if ctx.user_weights is None else _SessionGradients(ctx.user_weights)
        grad_hidden, grad_user = torch.zeros_like(hidden), torch.zeros_like(hidden)
        for step in reversed(range(steps)):
            grad_hidden += grad_states[step]
            outer = grad_recurrent[step]
            grad_candidate = torch.mul(grad_hidden, by_candidate[step], out=grad_inputs[step, :, 2 * size :])
            torch.mul(grad_candidate, by_reset[step], out=outer[:, :size])
            torch.mul(grad_hidden, by_update[step], out=outer[:, size : 2 * size])
            torch.mul(grad_candidate, reset[step], out=outer[:, 2 * size :])
            inner = torch.addmm(grad_hidden.mul_(update[step]), outer, weight, out=grad_discounted[step])
            grad_hidden = inner * keep[step]
            if sessions is None:
                continue
            grad_user += grad_users[step]
            session = ctx.sessions[step]
            if session is not None:
                rows = session.rows
                grad_finished, grad_before = sessions.backward(session, inner[rows], grad_user[rows])
                grad_user.index_copy_(0, rows, grad_before)
                grad_hidden.index_add_(0, rows, grad_finished)
            if ctx.firsts[step]:
                grad_user *= kept[step]
        grad_inputs[..., : 2 * size] = grad_recurrent[..., : 2 * size]
        grad_keep = grad_discounted * torch.cat((hidden[None], states[:-1]))
        if keep.shape[2] == 1:
            grad_keep = grad_keep.sum(dim=2, keepdim=True)
        flat = grad_recurrent.view(-1, 3 * size)
        grad_weight = flat.T @ discounted.view(-1, size)
        of_users = () if sessions is None else sessions.of_weights()
        return (
            *(grad_inputs, grad_keep, None, grad_hidden, grad_user),
            *(grad_weight, flat.sum(dim=0), None, None, grad_discounted if ctx.starts else None, *of_users),
        )


def run_steps(
    inputs: Tensor,
    keep: Tensor,
    kept: Tensor,
    hidden: Tensor,
    user: Tensor,
    weight: Tensor,
    bias: Tensor,
    starts: Sequence[Tensor | None],
    firsts: Sequence[bool],
    user_weights: UserWeights | None,
    initial: Tensor | None = None,
) -> tuple[Tensor, Tensor | None]:
    """Runs T steps of B users.

    Args:
        inputs: Projected inputs of the gates a [T, B, 3H], in the order reset, update, new.
        keep: What is left of the session state, 0 at first events, [T, B, H] or [T, B, 1].
        kept: 0 at first events, else 1 [T, B, 1]; takes no gradient.
        hidden: Session state before the first step [B, H].
        user: User state before the first step [B, H].
        weight: Recurrent weights [3H, H].
        bias: Recurrent bias [3H].
        starts: Per step, the rows where a session starts, or None.
        firsts: Per step, whether there is a first event.
        user_weights: None for no user level.
        initial: Session state before each first event, zero elsewhere [T, B, H]; None for zeros. Its gradient means
            something at first events only.

    Returns:
        Session states and user states, [T, B, H] each; None for the latter without user level.
    """
    states, users = _Recurrence.apply(  # type: ignore[no-untyped-call]
        inputs, keep, kept, hidden, user, weight, bias, starts, firsts, initial, *(user_weights or ())
    )
    return states, None if user_weights is None else users
