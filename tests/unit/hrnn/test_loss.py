from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from worker_service.hrnn.network.loss import full_softmax_loss
from worker_service.hrnn.network.sampled_loss import NegativeSampler, sampled_softmax_loss

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
        sampled = sampled_softmax_loss(queries, table, bias, targets, weights, *sampler.draw(size))
        errors.append(abs(sampled.item() - full) / full)
    assert errors[1] < 0.005
    assert errors[1] < errors[0]


def test_the_sampled_loss_sums_over_all_others_when_each_is_drawn_once_with_its_true_share() -> None:
    queries, table, bias, targets, weights = _inputs()
    every = torch.arange(N)
    uniform = torch.full((N,), 1.0 / N).log()
    sampled = sampled_softmax_loss(queries, table, bias, targets, weights, every, uniform)
    torch.testing.assert_close(sampled, full_softmax_loss(queries, table, bias, targets, weights))


def test_negatives_that_are_the_target_itself_are_masked() -> None:
    queries, table, bias, _, weights = _inputs()
    targets = torch.full((M,), 3)
    hits = torch.full((10,), 3)
    loss = sampled_softmax_loss(queries, table, bias, targets, weights, hits, torch.zeros(10))
    assert loss.item() == pytest.approx(0.0, abs=1e-4)


def test_negatives_are_drawn_by_the_three_quarter_power_of_the_counts() -> None:
    sampler = NegativeSampler(torch.tensor([1, 16]), torch.Generator().manual_seed(0))
    drawn, log_shares = sampler.draw(20_000)
    assert float((drawn == 1).float().mean()) == pytest.approx(8 / 9, abs=0.01)
    assert log_shares[drawn == 1][0].exp().item() == pytest.approx(8 / 9)
