from __future__ import annotations

import pytest
import torch
from torch import Tensor

from worker_service.hrnn.network.dense_recurrence import dense_steps
from worker_service.hrnn.network.recurrence import UserWeights, run_steps
from worker_service.hrnn.network.step_graphs import StepGraphs

T, B, H = 7, 5, 3


def _given(keep_width: int) -> list[Tensor]:
    """Everything that takes a gradient."""
    generator = torch.Generator().manual_seed(3)
    shapes = [(T, B, 3 * H), (T, B, keep_width), (B, H), (B, H), (3 * H, H), (3 * H,)]
    shapes += [(3 * H, H), (3 * H, H), (3 * H,), (3 * H,), (H, H), (H,)]
    return [torch.randn(shape, generator=generator, dtype=torch.float64, requires_grad=True) for shape in shapes]


def _marks() -> tuple[Tensor, Tensor]:
    """Where users and where sessions start [T, B, 1]; never both at once."""
    draws = torch.rand(T, B, 1, generator=torch.Generator().manual_seed(4))
    return (draws < 0.2).double(), (draws > 0.6).double()


@pytest.mark.parametrize("user_level", [True, False])
@pytest.mark.parametrize("keep_width", [1, H])
def test_a_step_for_all_users_gives_what_a_step_for_those_concerned_does(keep_width: int, *, user_level: bool) -> None:
    firsts, starts = _marks()
    kept = 1.0 - firsts
    inputs, keep, hidden, user, weight, bias, *rest = _given(keep_width)
    taking = [inputs, keep, hidden, weight, bias, *((user, *rest) if user_level else ())]
    weights = rest if user_level else []
    rows = [found if len(found := row.flatten().nonzero().flatten()) else None for row in starts]

    sparse = run_steps(
        *(inputs, keep * kept, kept, hidden, user, weight, bias, rows),
        [bool(row.any()) for row in firsts],
        UserWeights(*weights) if user_level else None,
    )
    dense = dense_steps(inputs, keep * kept, kept, hidden, user, weight, bias, starts, *weights)
    outputs = 2 if user_level else 1
    for expected, found in zip(sparse[:outputs], dense[:outputs], strict=True):
        assert expected is not None
        torch.testing.assert_close(found, expected)

    def gradients(states: Tensor, users: Tensor | None) -> tuple[Tensor, ...]:
        places = torch.arange(states.numel(), dtype=torch.float64).view_as(states).cos()
        total = (states * places).sum() + (0.0 if users is None or not user_level else (users * places.sin()).sum())
        return torch.autograd.grad(total, taking)

    for expected, found in zip(gradients(*sparse), gradients(*dense), strict=True):
        torch.testing.assert_close(found, expected)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU: this machine proves nothing about CUDA graphs")
def test_a_graph_gives_what_the_loop_does() -> None:
    graphs = StepGraphs()
    for seed in (1, 2):
        arguments = [tensor.detach().float().cuda() for tensor in _given(H)]
        arguments = [(tensor + 0.1 * seed).requires_grad_() for tensor in arguments]
        inputs, keep, hidden, user, weight, bias, *rest = arguments
        firsts, starts = (mark.float().cuda() for mark in _marks())
        given = (inputs, keep, 1.0 - firsts, hidden.detach(), user.detach(), weight, bias, starts, *rest)
        recorded = graphs.find(*given)
        assert recorded is not None
        for expected, found in zip(dense_steps(*given), recorded(*given), strict=True):
            torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
        wanted = [inputs, keep, weight, bias, *rest]
        expected_gradients = torch.autograd.grad(dense_steps(*given)[0].square().sum(), wanted)
        found_gradients = torch.autograd.grad(recorded(*given)[0].square().sum(), wanted)
        for expected, found in zip(expected_gradients, found_gradients, strict=True):
            torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)
    assert graphs.find(*(tensor[:1] if tensor.dim() == 3 else tensor for tensor in given)) is None
