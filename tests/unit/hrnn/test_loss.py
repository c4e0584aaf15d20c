from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from worker_service.hrnn.network.loss import ExtraScores, full_softmax_loss
from worker_service.hrnn.network.sampled_loss import Negatives, NegativeSampler, sampled_softmax_loss

M, N, H = 700, 30, 5


def _inputs() -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    queries = torch.randn(M, H, generator=generator, requires_grad=True)
    table = torch.randn(N, H, generator=generator, requires_grad=True)
    bias = torch.randn(N, generator=generator, requires_grad=True)
    return queries, table, bias, torch.randint(N, (M,), generator=generator), torch.rand(M, generator=generator)


def test_the_full_loss_and_its_gradients_are_those_of_cross_entropy() -> None:
    queries, table, bias, targets, weights = _inputs()
    expected = (weights * functional.cross_entropy(queries @ table.T + bias, targets, reduction="none")).sum()
    wanted = torch.autograd.grad(expected * 0.5, (queries, table, bias))
    loss = full_softmax_loss(queries, table, bias, targets, weights)
    found = torch.autograd.grad(loss * 0.5, (queries, table, bias))
    torch.testing.assert_close(loss, expected)
    for mine, reference in zip(found, wanted, strict=True):
        torch.testing.assert_close(mine, reference, rtol=1e-4, atol=1e-4)


def test_rounded_products_change_loss_and_gradients_by_less_than_a_hundredth() -> None:
    queries, table, bias, targets, weights = _inputs()
    exact = full_softmax_loss(queries, table, bias, targets, weights)
    rounded = full_softmax_loss(queries, table, bias, targets, weights, products=torch.bfloat16)
    assert rounded.item() != exact.item()
    assert rounded.item() == pytest.approx(exact.item(), rel=1e-3)
    wanted = torch.autograd.grad(exact, (queries, table, bias))
    for mine, reference in zip(torch.autograd.grad(rounded, (queries, table, bias)), wanted, strict=True):
        assert (mine - reference).norm() < 0.01 * reference.norm()


def test_the_full_loss_of_no_targets_is_zero() -> None:
    queries, table, bias, targets, weights = _inputs()
    assert full_softmax_loss(queries[:0], table, bias, targets[:0], weights[:0]).item() == 0.0


def test_the_full_loss_stands_huge_scores() -> None:
    queries, table, bias, targets, weights = _inputs()
    assert torch.isfinite(full_softmax_loss(queries * 1e4, table, bias, targets, weights))


def test_the_sampled_loss_nears_the_full_one_with_many_negatives() -> None:
    queries, table, bias, targets, weights = _inputs()
    sampler = NegativeSampler(torch.arange(1, N + 1), torch.Generator().manual_seed(1))
    full = full_softmax_loss(queries, table, bias, targets, weights).item()
    errors = []
    for size in (30, 30_000):
        sampled = sampled_softmax_loss(queries, table, bias, targets, weights, sampler.draw(size))
        errors.append(abs(sampled.item() - full) / full)
    assert errors[1] < 0.005
    assert errors[1] < errors[0]


def test_the_sampled_loss_sums_over_all_others_when_each_is_drawn_once_with_its_true_share() -> None:
    queries, table, bias, targets, weights = _inputs()
    every = torch.arange(N)
    negatives = Negatives(every, torch.zeros(N))  # log(draws) - log(q * draws) with q = 1 / N and N draws, one each
    sampled = sampled_softmax_loss(queries, table, bias, targets, weights, negatives)
    torch.testing.assert_close(sampled, full_softmax_loss(queries, table, bias, targets, weights))


def test_negatives_that_are_the_target_itself_are_masked() -> None:
    queries, table, bias, _, weights = _inputs()
    targets = torch.full((M,), 3)
    hits = Negatives(torch.tensor([3]), torch.zeros(1))
    loss = sampled_softmax_loss(queries, table, bias, targets, weights, hits)
    assert loss.item() == pytest.approx(0.0, abs=1e-4)


def test_negatives_are_drawn_by_the_three_quarter_power_of_the_counts() -> None:
    sampler = NegativeSampler(torch.tensor([1, 16]), torch.Generator().manual_seed(0))
    rows, correction = sampler.draw(20_000)
    assert rows.tolist() == [0, 1]
    # The correction is log(draws / expected draws): near 0, and the expected draws are those of the power.
    drawn = correction.exp() * torch.tensor([1 / 9, 8 / 9])
    assert drawn.tolist() == pytest.approx([1 / 9, 8 / 9], abs=0.01)
    assert drawn.sum().item() == pytest.approx(1.0)


def _extra(values: Tensor) -> ExtraScores:
    """Three scores in every row but the last, whose columns depend on the row."""
    row = torch.arange(M - 1).repeat_interleave(3)
    column = (row * 7 + torch.tensor([0, 4, 9]).repeat(M - 1)) % N
    bounds = torch.cat((torch.arange(0, 3 * M - 2, 3), torch.tensor([3 * M - 3])))
    return ExtraScores(bounds, row, column, values)


def _dense(extra: ExtraScores) -> Tensor:
    """The same as a matrix [M, N]."""
    return torch.zeros(M, N).index_put((extra.row, extra.column), extra.value)


def test_extra_scores_enter_the_full_loss_and_its_gradients_like_a_dense_matrix() -> None:
    queries, table, bias, targets, weights = _inputs()
    values = torch.randn(3 * (M - 1), generator=torch.Generator().manual_seed(2), requires_grad=True)
    scores = queries @ table.T + bias + _dense(_extra(values))
    expected = (weights * functional.cross_entropy(scores, targets, reduction="none")).sum()
    wanted = torch.autograd.grad(expected, (queries, table, bias, values))
    loss = full_softmax_loss(queries, table, bias, targets, weights, _extra(values))
    found = torch.autograd.grad(loss, (queries, table, bias, values))
    torch.testing.assert_close(loss, expected)
    for mine, reference in zip(found, wanted, strict=True):
        torch.testing.assert_close(mine, reference, rtol=1e-4, atol=1e-4)


def test_extra_scores_enter_the_sampled_loss_of_targets_and_of_negatives() -> None:
    queries, table, bias, targets, weights = _inputs()
    values = torch.randn(3 * (M - 1), generator=torch.Generator().manual_seed(2), requires_grad=True)
    every = Negatives(torch.arange(N), torch.zeros(N))
    sampled = sampled_softmax_loss(queries, table, bias, targets, weights, every, _extra(values))
    full = full_softmax_loss(queries, table, bias, targets, weights, _extra(values))
    torch.testing.assert_close(sampled, full)
    (mine,), (reference,) = torch.autograd.grad(sampled, (values,)), torch.autograd.grad(full, (values,))
    torch.testing.assert_close(mine, reference, rtol=1e-4, atol=1e-5)
