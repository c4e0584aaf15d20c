"""The recurrent cell: a GRU over a user's events, with time discount, resets, and a user level above the sessions.

One step, row-wise, for embedded item e, features phi, session state h and user state c (GRUs in torch's convention, the
reset gate behind the matrix product)::

    g   = sigmoid(e A + phi C + a)                          discount, learnt from item and time; 0 at a first event
    c   = GRU_user(h, c) where a session starts, else c     0 at a first event
    h'' = g h + tanh(c W + w) where a session starts, else g h; what the history starts from at a first event
    h   = GRU_session(x, h'')
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from worker_service.hrnn.data.sessions import FEATURES, FIRST, SESSION_START
from worker_service.hrnn.network.recurrence import UserWeights, run_steps
from worker_service.hrnn.network.step_graphs import StepGraphs

#: Start of the discount's bias: sigmoid(2) = 0.88, so that an untrained cell remembers.
_DISCOUNT_BIAS = 2.0


class HrnnState(NamedTuple):
    """What is remembered of B users: session state and user state, each [B, H]."""

    hidden: Tensor
    user: Tensor

    def detach(self) -> HrnnState:
        """The same values without their past, where truncated back-propagation ends."""
        return HrnnState(self.hidden.detach(), self.user.detach())

    def rows(self, count: int) -> HrnnState:
        """The state of the first ``count`` users."""
        return HrnnState(self.hidden[:count], self.user[:count])


class StepMarks(NamedTuple):
    """What happens at each of T steps, known to the host, so that a GPU is never waited for.

    Attributes:
        starts: Rows where a session starts, int64 on the device; None where there are none.
        firsts: Whether any row has its user's first event.
    """

    starts: Sequence[Tensor | None]
    firsts: Sequence[bool]

    @classmethod
    def of(cls, features: NDArray[np.float32], device: torch.device | str) -> StepMarks:
        """Reads the marks from features on the host [T, B, 4]."""
        step, row = np.nonzero(features[..., SESSION_START])
        rows = torch.split(torch.from_numpy(row).to(device), np.bincount(step, minlength=len(features)).tolist())
        return cls([part if len(part) else None for part in rows], [bool(rows.any()) for rows in features[..., FIRST]])


class GruWeights(nn.Module):
    """Weights of one GRU with the shapes and gate order of `torch.nn.GRU` (reset, update, new)."""

    def __init__(self, hidden: int, generator: torch.Generator) -> None:
        super().__init__()
        bound = 1.0 / math.sqrt(hidden)

        def uniform(*shape: int) -> nn.Parameter:
            return nn.Parameter(torch.empty(*shape).uniform_(-bound, bound, generator=generator))

        self.weight_ih = uniform(3 * hidden, hidden)
        self.weight_hh = uniform(3 * hidden, hidden)
        self.bias_ih = uniform(3 * hidden)
        self.bias_hh = uniform(3 * hidden)

    def project(self, inputs: Tensor) -> Tensor:
        """The inputs' part of the gates, [..., H] to [..., 3H]."""
        return functional.linear(inputs, self.weight_ih, self.bias_ih)


class HrnnCell(nn.Module):
    """The cell of this module's formula.

    Args:
        hidden: H.
        generator: Source of the initial weights.
        discount: Whether the state is discounted; otherwise g = 1.
        user_level: Whether there is a user level. Without both, the cell is exactly `torch.nn.GRU` with resets.

    Attributes:
        graphs: Records the steps for training on a GPU; None to launch them one by one.
    """

    def __init__(
        self, hidden: int, generator: torch.Generator, *, discount: bool = True, user_level: bool = True
    ) -> None:
        super().__init__()
        self.hidden_dimension = hidden
        self.discount = discount
        self.user_level = user_level
        self.session = GruWeights(hidden, generator)
        self.graphs: StepGraphs | None = StepGraphs()
        if discount:
            self.discount_item = nn.Parameter(torch.zeros(hidden, hidden))
            self.discount_time = nn.Parameter(torch.zeros(hidden, FEATURES))
            self.discount_bias = nn.Parameter(torch.full((hidden,), _DISCOUNT_BIAS))
        if user_level:
            self.user = GruWeights(hidden, generator)
            # Zero at the start: a random seed disturbs every session that starts, and costs more than it ever brings.
            self.seed_weight = nn.Parameter(torch.zeros(hidden, hidden))
            self.seed_bias = nn.Parameter(torch.zeros(hidden))

    def initial_state(self, batch: int) -> HrnnState:
        """The state of users without a past."""
        zeros = self.session.weight_ih.new_zeros(batch, self.hidden_dimension)
        return HrnnState(zeros, zeros)

    def forward(
        self,
        inputs: Tensor,
        embedded: Tensor,
        features: Tensor,
        state: HrnnState,
        marks: StepMarks | None = None,
        starts: Tensor | None = None,
    ) -> tuple[Tensor, Tensor | None, HrnnState]:
        """Runs T steps of B users.

        Args:
            inputs: x [T, B, H].
            embedded: Item embeddings e [T, B, H].
            features: phi [T, B, 4].
            state: State before the first step.
            marks: Where sessions and users start; read from the features when not given, which on a GPU waits for it.
            starts: The session state before each first event, zero elsewhere [T, B, H]; None for zeros.

        Returns:
            Session states [T, B, H], user states [T, B, H] (None without user level), and the state after the last.
        """
        kept = 1.0 - features[..., FIRST : FIRST + 1]  # zeroes the state exactly at a user's first event
        keep = kept
        if self.discount:
            decays = functional.linear(embedded, self.discount_item, self.discount_bias)
            keep = (decays + functional.linear(features, self.discount_time)).sigmoid() * kept
        gru, weights = self.session, self._user_weights()
        given = (gru.project(inputs), keep, kept.detach(), state.hidden, state.user, gru.weight_hh, gru.bias_hh)
        if self.graphs is not None and features.is_cuda and torch.is_grad_enabled() and starts is None:
            dense = (*given, features[..., SESSION_START : SESSION_START + 1], *(weights or ()))
            recorded = self.graphs.find(*dense)
            if recorded is not None:
                hidden, levels = recorded(*dense)
                return hidden, levels if self.user_level else None, HrnnState(hidden[-1].clone(), levels[-1].clone())
        if marks is None:
            marks = StepMarks.of(features.detach().cpu().numpy(), features.device)
        hidden, user = run_steps(*given, marks.starts, marks.firsts, weights, starts)
        return hidden, user, HrnnState(hidden[-1], state.user if user is None else user[-1])

    def _user_weights(self) -> UserWeights | None:
        """The weights of the user level, None without one."""
        if not self.user_level:
            return None
        gru = self.user
        return UserWeights(gru.weight_ih, gru.weight_hh, gru.bias_ih, gru.bias_hh, self.seed_weight, self.seed_bias)
