"""One step of a trained network for one event of each of several users, in operations that ONNX has."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from worker_service.hrnn.data.own_history import OwnItems
from worker_service.hrnn.data.sessions import FIRST, SESSION_START
from worker_service.hrnn.network.cell import GruWeights, HrnnCell, HrnnState
from worker_service.hrnn.network.model import HrnnModel


class ServingStep(nn.Module):
    """Reads one event of each of B users and scores all items, in operations that ONNX has.

    Args:
        model: Its parameters are used, not copied.
        recommendable: Which items may be recommended, bool [N]; the others score minus infinity. None for all.
    """

    recommendable: Tensor | None

    def __init__(self, model: HrnnModel, recommendable: Tensor | None = None) -> None:
        super().__init__()
        self.model = model
        self.register_buffer("recommendable", recommendable)

    def forward(
        self,
        item: Tensor,
        features: Tensor,
        hidden: Tensor,
        user: Tensor,
        ask_features: Tensor,
        own_row: Tensor,
        own_item: Tensor,
        own_events: Tensor,
        own_age: Tensor,
        own_habit: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """One step; see this module for the arguments.

        Returns:
            Scores [B, N], session states [B, H] and user states [B, H].
        """
        model = self.model
        embedded = functional.embedding(item, model.item_rows)
        inputs = embedded + functional.linear(features, model.time_input)
        state = next_state(model.cell, inputs, embedded, features, HrnnState(hidden, user))
        own = None
        if model.shape.own_items:
            # Where the items of each row start is for training alone.
            own = OwnItems(own_row, own_row, own_item, own_events, own_age, own_habit)
        scores = model.scores(model.output(state), ask_features, own)
        if self.recommendable is not None:
            scores = scores.masked_fill(~self.recommendable, float("-inf"))
        return scores, state.hidden, state.user


def next_state(cell: HrnnCell, inputs: Tensor, embedded: Tensor, features: Tensor, state: HrnnState) -> HrnnState:
    """One step of `HrnnCell`, which computes many of them with a gradient of its own.

    Args:
        cell: The cell.
        inputs: x [B, H].
        embedded: Item embeddings e [B, H].
        features: phi [B, 4].
        state: State before the step.
    """
    kept = 1.0 - features[:, FIRST : FIRST + 1]
    discounted = state.hidden * kept
    if cell.discount:
        decays = functional.linear(embedded, cell.discount_item, cell.discount_bias)
        discounted = discounted * (decays + functional.linear(features, cell.discount_time)).sigmoid()
    user = state.user
    if cell.user_level:
        starts = features[:, SESSION_START : SESSION_START + 1] > 0
        level = user * kept
        user = torch.where(starts, _gru(cell.user, state.hidden, level), level)
        seed = functional.linear(user, cell.seed_weight, cell.seed_bias).tanh()
        discounted = torch.where(starts, discounted + seed, discounted)
    return HrnnState(_gru(cell.session, inputs, discounted), user)


def _gru(weights: GruWeights, inputs: Tensor, state: Tensor) -> Tensor:
    """One step of a GRU: inputs and state [B, H] to the new state [B, H]."""
    size = state.shape[1]
    projected = weights.project(inputs)
    recurrent = functional.linear(state, weights.weight_hh, weights.bias_hh)
    gates = (projected[:, : 2 * size] + recurrent[:, : 2 * size]).sigmoid()
    reset, update = gates[:, :size], gates[:, size:]
    candidate = (projected[:, 2 * size :] + reset * recurrent[:, 2 * size :]).tanh()
    return candidate + update * (state - candidate)
