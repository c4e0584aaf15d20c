"""Weighted softmax cross entropy over the whole catalogue, without keeping a [M, N] matrix."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

#: Rows of logits made at a time: at a few thousand items a block stays in the processor's cache.
_BLOCK_ROWS_CPU = 256
_BLOCK_ROWS_GPU = 4096


class _FullSoftmax(torch.autograd.Function):
    """Loss and gradients in one pass: the logits' gradient is known as soon as the logits are, and overwrites them."""

    @staticmethod
    def forward(ctx: Any, queries: Tensor, table: Tensor, bias: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
        block = _BLOCK_ROWS_CPU if queries.device.type == "cpu" else _BLOCK_ROWS_GPU
        wanted = any(ctx.needs_input_grad[:3])
        grad_queries = torch.empty_like(queries) if wanted else None
        # Transposed, because [H, M] times [M, N] is the faster way round; a buffer for one block serves all.
        grad_table, grad_bias = torch.zeros_like(table.T, memory_format=torch.contiguous_format), torch.zeros_like(bias)
        buffer = queries.new_empty(min(block, len(queries)), len(table))
        total = queries.new_zeros(())
        for start in range(0, len(queries), block):
            rows = slice(start, start + block)
            query, target, weight = queries[rows], targets[rows, None], weights[rows, None]
            logits = torch.addmm(bias, query, table.T, out=buffer[: len(query)])
            logits -= logits.amax(dim=1, keepdim=True)
            chosen = logits.gather(1, target)
            sums = logits.exp_().sum(dim=1, keepdim=True)
            total += (weight * (sums.log() - chosen)).sum()
            if grad_queries is None:
                continue
            gradient = logits.mul_(weight / sums).scatter_add_(1, target, -weight)
            torch.mm(gradient, table, out=grad_queries[rows])
            grad_table.addmm_(query.T, gradient)
            grad_bias += gradient.sum(dim=0)
        if grad_queries is not None:
            ctx.save_for_backward(grad_queries, grad_table, grad_bias)
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, scale: Tensor) -> tuple[Tensor | None, ...]:
        grad_queries, grad_table, grad_bias = ctx.saved_tensors
        return grad_queries * scale, grad_table.T * scale, grad_bias * scale, None, None


def full_softmax_loss(queries: Tensor, table: Tensor, bias: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    """Sum of ``weight * -log softmax(q E^T + bias)[target]``.

    Args:
        queries: q [M, H].
        table: E, one row per item [N, H].
        bias: [N].
        targets: Rows of ``table``, 0 to N - 1 [M].
        weights: [M].

    Returns:
        A scalar in nats.
    """
    result: Tensor = _FullSoftmax.apply(queries, table, bias, targets, weights)  # type: ignore[no-untyped-call]
    return result
