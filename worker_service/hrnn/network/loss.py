"""Weighted softmax cross entropy over the whole catalogue, without keeping a [M, N] matrix."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

#: Rows of logits made at a time: at a few thousand items a block stays in the processor's cache.
_BLOCK_ROWS_CPU = 256
_BLOCK_ROWS_GPU = 4096


class ExtraScores(NamedTuple):
    """What is added to P of the [M, N] scores, those of one row side by side and no place twice.

    Attributes:
        bounds: Those of row m are ``bounds[m]:bounds[m + 1]``, int64 [M + 1], on the host.
        row: [P].
        column: [P].
        value: [P].
    """

    bounds: Tensor
    row: Tensor
    column: Tensor
    value: Tensor


def _product(left: Tensor, right: Tensor) -> Tensor:
    """The product of two rounded matrices, summed up in float32, as tensor cores do it."""
    if left.device.type == "cpu":
        return left.float() @ right.float()
    return torch.mm(left, right, out_dtype=torch.float32)


class _FullSoftmax(torch.autograd.Function):
    """Loss and gradients in one pass: the logits' gradient is known as soon as the logits are, and overwrites them."""

    @staticmethod
    def forward(
        ctx: Any,
        queries: Tensor,
        table: Tensor,
        bias: Tensor,
        targets: Tensor,
        weights: Tensor,
        value: Tensor | None,
        extra: ExtraScores | None,
        products: torch.dtype,
    ) -> Tensor:
        block = _BLOCK_ROWS_CPU if queries.device.type == "cpu" else _BLOCK_ROWS_GPU
        wanted = any(ctx.needs_input_grad[:3])
        grad_queries = torch.empty_like(queries) if wanted else None
        # Transposed, because [H, M] times [M, N] is the faster way round; a buffer for one block serves all.
        grad_table, grad_bias = torch.zeros_like(table.T, memory_format=torch.contiguous_format), torch.zeros_like(bias)
        grad_value = None if value is None else torch.empty_like(value)
        buffer = queries.new_empty(min(block, len(queries)), len(table))
        rounded = None if products is queries.dtype else table.to(products)
        total = queries.new_zeros(())
        for start in range(0, len(queries), block):
            rows = slice(start, start + block)
            query, target, weight = queries[rows], targets[rows, None], weights[rows, None]
            logits = buffer[: len(query)]
            if rounded is None:
                torch.addmm(bias, query, table.T, out=logits)
            else:
                torch.add(_product(query.to(products), rounded.T), bias, out=logits)
            if extra is not None and value is not None:
                own = slice(int(extra.bounds[start]), int(extra.bounds[min(start + block, len(queries))]))
                places = (extra.row[own] - start).long() * len(table) + extra.column[own]
                logits.view(-1).index_add_(0, places, value[own])
            logits -= logits.amax(dim=1, keepdim=True)
            chosen = logits.gather(1, target)
            sums = logits.exp_().sum(dim=1, keepdim=True)
            total += (weight * (sums.log() - chosen)).sum()
            if grad_queries is None:
                continue
            gradient = logits.mul_(weight / sums).scatter_add_(1, target, -weight)
            if rounded is None:
                torch.mm(gradient, table, out=grad_queries[rows])
                grad_table.addmm_(query.T, gradient)
            else:
                low = gradient.to(products)
                grad_queries[rows] = _product(low, rounded)
                grad_table += _product(query.to(products).T, low)
            grad_bias += gradient.sum(dim=0)
            if grad_value is not None:
                torch.index_select(gradient.view(-1), 0, places, out=grad_value[own])
        if grad_queries is not None:
            ctx.save_for_backward(grad_queries, grad_table, grad_bias, grad_value)
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, scale: Tensor) -> tuple[Tensor | None, ...]:
        grad_queries, grad_table, grad_bias, grad_value = ctx.saved_tensors
        return (
            grad_queries * scale,
            grad_table.T * scale,
            grad_bias * scale,
            None,
            None,
            None if grad_value is None else grad_value * scale,
            None,
            None,
        )


def full_softmax_loss(
    queries: Tensor,
    table: Tensor,
    bias: Tensor,
    targets: Tensor,
    weights: Tensor,
    extra: ExtraScores | None = None,
    products: torch.dtype | None = None,
) -> Tensor:
    """Sum of ``weight * -log softmax(q E^T + bias)[target]``.

    Args:
        queries: q [M, H].
        table: E, one row per item [N, H].
        bias: [N].
        targets: Rows of ``table``, 0 to N - 1 [M].
        weights: [M].
        extra: What is added to some of the scores.
        products: To what the factors of the matrix products are rounded; None for not at all. Everything else, sums and
            exponentials above all, stays as exact as ``queries``.

    Returns:
        A scalar in nats.
    """
    result: Tensor = _FullSoftmax.apply(  # type: ignore[no-untyped-call]
        queries, table, bias, targets, weights, None if extra is None else extra.value, extra, products or queries.dtype
    )
    return result
