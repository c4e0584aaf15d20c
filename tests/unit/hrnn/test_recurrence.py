from __future__ import annotations

import pytest
import torch
from torch import Tensor

from worker_service.hrnn.network.recurrence import UserWeights, run_steps

T, B, H = 5, 3, 2
STARTS = [None, torch.tensor([1]), torch.tensor([0, 2]), None, torch.tensor([1])]
FIRSTS = [True, False, True, False, False]


def _inputs(keep_width: int) -> list[Tensor]:
    """Everything that takes a gradient, in double precision, away from any kink."""
    generator = torch.Generator().manual_seed(0)
    shapes = [(T, B, 3 * H), (T, B, keep_width), (B, H), (B, H), (3 * H, H), (3 * H,)]
    shapes += [(3 * H, H), (3 * H, H), (3 * H,), (3 * H,), (H, H), (H,)]
    return [torch.randn(shape, generator=generator, dtype=torch.float64, requires_grad=True) for shape in shapes]


def _kept() -> Tensor:
    kept = torch.ones(T, B, 1, dtype=torch.float64)
    kept[0] = 0.0
    kept[2, 1] = 0.0
    return kept


@pytest.mark.parametrize("keep_width", [1, H])
def test_the_written_gradient_is_the_numerical_one_with_a_user_level(keep_width: int) -> None:
    def run(*tensors: Tensor) -> tuple[Tensor, ...]:
        inputs, keep, hidden, user, weight, bias, *rest = tensors
        states, users = run_steps(inputs, keep, _kept(), hidden, user, weight, bias, STARTS, FIRSTS, UserWeights(*rest))
        assert users is not None
        return states, users

    assert torch.autograd.gradcheck(run, _inputs(keep_width))


def test_the_written_gradient_is_the_numerical_one_without_a_user_level() -> None:
    def run(*tensors: Tensor) -> Tensor:
        inputs, keep, hidden, weight, bias = tensors
        states, users = run_steps(inputs, keep, _kept(), hidden, hidden, weight, bias, STARTS, FIRSTS, None)
        assert users is None
        return states

    inputs = _inputs(1)
    assert torch.autograd.gradcheck(run, [*inputs[:3], *inputs[4:6]])


def test_user_weights_that_no_step_used_get_zero_gradients() -> None:
    inputs, keep, hidden, user, weight, bias, *rest = _inputs(1)
    states, _ = run_steps(inputs, keep, _kept(), hidden, user, weight, bias, [None] * T, FIRSTS, UserWeights(*rest))
    found = torch.autograd.grad(states.sum(), rest)
    assert all(not gradient.any() for gradient in found)


def test_the_states_given_are_left_as_they_were() -> None:
    inputs, keep, hidden, user, weight, bias, *rest = (tensor.detach() for tensor in _inputs(1))
    before = [tensor.clone() for tensor in (inputs, keep, hidden, user)]
    run_steps(inputs, keep, _kept(), hidden, user, weight, bias, STARTS, FIRSTS, UserWeights(*rest))
    assert all(torch.equal(now, then) for now, then in zip((inputs, keep, hidden, user), before, strict=True))


def test_the_gradient_of_what_histories_start_from_is_the_numerical_one() -> None:
    started = torch.zeros(T, B, 1, dtype=torch.float64)
    started[0] = 1.0
    started[2, 1] = 1.0

    def run(initial: Tensor, *tensors: Tensor) -> tuple[Tensor, ...]:
        inputs, keep, hidden, user, weight, bias, *rest = tensors
        fixed = (inputs, keep * _kept(), _kept(), hidden, user, weight, bias, STARTS, FIRSTS, UserWeights(*rest))
        states, users = run_steps(*fixed, initial * started)
        assert users is not None
        return states, users

    initial = torch.randn(T, B, H, generator=torch.Generator().manual_seed(1), dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(run, [initial, *_inputs(H)])


def test_a_history_goes_on_from_what_it_starts_from() -> None:
    inputs, _, hidden, user, weight, bias, *_ = _inputs(1)
    begun, kept = torch.zeros(T, B, H, dtype=torch.float64), torch.ones(T, B, 1, dtype=torch.float64)
    begun[1], first = hidden.detach(), kept.clone()
    first[1] = 0.0
    fresh, _ = run_steps(
        inputs, first, first, user, user, weight, bias, [None] * T, [False, True, False, False, False], None, begun
    )
    later, _ = run_steps(
        inputs[1:], kept[1:], kept[1:], hidden, user, weight, bias, [None] * (T - 1), [False] * (T - 1), None
    )
    torch.testing.assert_close(fresh[1:], later)
