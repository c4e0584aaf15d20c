"""One training job: epochs over streams, early stop on the validation users, best weights kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from hrnn_tuner.algorithms.contract import InvalidObjectiveError, TrainingContext
from hrnn_tuner.algorithms.hrnn import ALGORITHM
from hrnn_tuner.domain.objective import Objective
from worker_service.hrnn.data.dataset import TrainingData
from worker_service.hrnn.data.queries import Queries
from worker_service.hrnn.data.recency import item_counts, target_weights
from worker_service.hrnn.evaluation.evaluate import evaluate
from worker_service.hrnn.evaluation.model_scorer import ModelScorer
from worker_service.hrnn.network.cell import HrnnState
from worker_service.hrnn.network.loss import full_softmax_loss
from worker_service.hrnn.network.model import Dropout, HrnnModel, ModelShape
from worker_service.hrnn.network.sampled_loss import FULL_SOFTMAX_ITEMS, NegativeSampler, sampled_softmax_loss
from worker_service.hrnn.settings import HrnnSettings
from worker_service.hrnn.training.batches import Batch, TrainingTensors
from worker_service.hrnn.training.schedule import learning_rate_factor
from worker_service.hrnn.training.streams import chunks, pack, stream_count

_GRADIENT_NORM = 1.0
#: On a GPU reading the loss waits for the device; a loss that is not finite stays so and is found a little later.
_STEPS_PER_LOSS_CHECK_GPU = 32

#: Gives the summed weighted loss of outputs [M, H] for targets (rows of the catalogue) [M] and weights [M].
LossFunction = Callable[[HrnnModel, Tensor, Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class BestEpoch:
    """The epoch with the best objective so far, with its weights on the CPU."""

    epoch: int
    metrics: Mapping[str, float]
    weights: Mapping[str, Tensor]


def chunk_loss(
    model: HrnnModel, batch: Batch, state: HrnnState, loss: LossFunction, dropout: Dropout | None
) -> tuple[Tensor, HrnnState]:
    """Summed weighted loss of one chunk, and the state behind it without its past.

    Cutting the past is what limits gradients to one chunk, that is to ``bptt`` steps.
    """
    outputs, state = model.encode(batch.items, batch.features, state, batch.marks, dropout)
    counted = outputs.flatten(0, 1).index_select(0, batch.counted)
    queries = model.ask(counted, batch.target_features)
    return loss(model, queries, batch.targets, batch.weights), state.detach()


class HrnnTraining:
    """The state of one training job.

    Args:
        data: What to learn from.
        settings: The hyperparameters.
        context: Device, seed and reports.
    """

    def __init__(self, data: TrainingData, settings: HrnnSettings, context: TrainingContext) -> None:
        self._data = data
        self._settings = settings
        self._context = context
        device = context.device
        self._rng = np.random.default_rng(context.seed)
        half_life = self._half_life()
        self.counts = item_counts(data.events_item, data.events_time, len(data.catalogue), half_life)
        shape = ModelShape(
            len(data.catalogue), settings.hidden_dimension, settings.cell, use_query_gap=settings.use_query_gap
        )
        initial = torch.Generator().manual_seed(context.seed)
        self.model = HrnnModel(shape, initial, torch.from_numpy(self.counts)).to(device)
        draws = torch.Generator(device).manual_seed(context.seed)
        self._dropout = Dropout(settings.dropout, draws)
        weights = target_weights(data.positions.target_time, int(data.events_time.max()), half_life)
        self._tensors = TrainingTensors(data.positions, weights, device)
        self._loss = self._loss_function(draws)
        self._optimizer = torch.optim.Adam(self.model.parameters(), lr=settings.learning_rate, fused=True)
        self._started = False

    def run(self) -> BestEpoch | None:
        """Trains until the last epoch, until patience runs out, or until asked to stop.

        Returns:
            The best epoch; None when the training job was asked to stop before the end of its first epoch.

        Raises:
            InvalidObjectiveError: When the loss becomes NaN or infinite.
        """
        metric = ALGORITHM.metric(self._context.objective_metric)
        if metric is None:
            raise InvalidObjectiveError(f"the algorithm reports no metric {self._context.objective_metric!r}")
        objective = Objective(metric.objective_type, metric.name)
        best: BestEpoch | None = None
        for epoch in range(1, self._settings.epochs + 1):
            loss = self._train_epoch(epoch)
            if loss is None:
                break
            metrics = {**self.evaluate(self._data.validation), "train_loss": loss}
            self._context.report(epoch, metrics)
            value = metrics[metric.name]
            if best is None or objective.is_better(value, best.metrics[metric.name]):
                weights = {name: tensor.detach().cpu().clone() for name, tensor in self.model.state_dict().items()}
                best = BestEpoch(epoch, metrics, weights)
            elif epoch - best.epoch >= self._settings.patience:
                break
        return best

    def evaluate(self, queries: Queries) -> Mapping[str, float]:
        """Measures the model as it is."""
        return evaluate(ModelScorer(self.model), queries, len(self._data.catalogue), self._data.total_items)

    def _half_life(self) -> float | None:
        """Days after which an event counts half; None when all count alike."""
        if not self._settings.recency_mask:
            return None
        return self._settings.recency_half_life_days or self._data.half_life_days

    def _loss_function(self, generator: torch.Generator) -> LossFunction:
        """The loss that the hyperparameters and the size of the catalogue ask for."""
        full = self._settings.loss == "full" or (
            self._settings.loss == "auto" and len(self._data.catalogue) <= FULL_SOFTMAX_ITEMS
        )
        if full:
            return lambda model, queries, targets, weights: full_softmax_loss(
                queries, model.item_rows, model.bias, targets, weights
            )
        counts = np.bincount(self._data.events_item, minlength=len(self._data.catalogue) + 1)[1:]
        sampler = NegativeSampler(torch.from_numpy(counts).to(self._context.device), generator)
        size = self._settings.negative_samples

        def sampled(model: HrnnModel, queries: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
            return sampled_softmax_loss(queries, model.item_rows, model.bias, targets, weights, *sampler.draw(size))

        return sampled

    def _train_epoch(self, epoch: int) -> float | None:
        """One pass over the training users; returns the mean weighted loss, or None when asked to stop."""
        settings, positions = self._settings, self._data.positions
        lengths = np.diff(positions.offsets)
        count = stream_count(settings.batch_tokens, settings.bptt, len(lengths))
        streams = pack(lengths, count, self._rng)
        steps = -(-int(max(lengths[members].sum() for members in streams)) // settings.bptt)
        nominal = len(streams) * settings.bptt
        state = self.model.initial_state(len(streams))
        total = torch.zeros((), device=self._context.device)
        for step, chunk in enumerate(chunks(positions.offsets, streams, settings.bptt)):
            if self._context.should_stop():
                return None
            batch = self._tensors.batch(chunk)
            self._announce()
            loss, state = chunk_loss(self.model, batch, state.rows(chunk.positions.shape[1]), self._loss, self._dropout)
            if len(batch.counted):
                # Every event weighs the same, also in the smaller chunks at the end of the streams.
                self._step(loss / nominal, (epoch - 1) * steps + step, settings.epochs * steps)
            total += loss.detach()
            if total.device.type == "cpu" or step % _STEPS_PER_LOSS_CHECK_GPU == 0:
                self._check(total, epoch, step)
        self._check(total, epoch, steps - 1)
        return float(total) / self._tensors.total_weight

    def _announce(self) -> None:
        """Says once that training starts."""
        if not self._started:
            self._context.training_started()
            self._started = True

    def _step(self, loss: Tensor, step: int, steps: int) -> None:
        """One step of the optimizer."""
        factor = learning_rate_factor(step, steps)
        for group in self._optimizer.param_groups:
            group["lr"] = self._settings.learning_rate * factor
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), _GRADIENT_NORM)
        self._optimizer.step()

    def _check(self, total: Tensor, epoch: int, step: int) -> None:
        """Ends the training job when the summed loss is not finite any more."""
        value = float(total)
        if not math.isfinite(value):
            raise InvalidObjectiveError(
                f"the training loss became {value} in epoch {epoch}, step {step + 1}, with learning_rate "
                f"{self._settings.learning_rate:g}; a lower learning_rate may help"
            )
