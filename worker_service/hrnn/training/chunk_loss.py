"""The loss of one chunk of histories."""

from __future__ import annotations

from torch import Tensor

from worker_service.hrnn.network.cell import HrnnState
from worker_service.hrnn.network.dropout import Dropout
from worker_service.hrnn.network.model import HrnnModel
from worker_service.hrnn.training.batches import Batch
from worker_service.hrnn.training.catalogue_loss import CatalogueLoss


def chunk_loss(
    model: HrnnModel, batch: Batch, state: HrnnState, loss: CatalogueLoss, dropout: Dropout | None
) -> tuple[Tensor, HrnnState]:
    """Summed weighted loss of one chunk, and the state behind it without its past.

    Cutting the past is what limits gradients to one chunk, that is to ``bptt`` steps.
    """
    items = model.items(dropout)
    outputs, state = model.encode(
        batch.items, batch.features, state, batch.marks, dropout, vectors=items, events=batch.events
    )
    counted = outputs.flatten(0, 1).index_select(0, batch.counted)
    queries = model.ask(counted, batch.target_features, batch.asking, dropout)
    extra = None if batch.own is None else model.own_scores(batch.own, queries, batch.target_features)
    return loss(items, queries, batch.targets, batch.weights, extra), state.detach()
