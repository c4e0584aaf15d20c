"""One training job: epochs over streams, early stop on the validation users, best weights kept."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from hrnn_tuner.algorithms.contract import InvalidObjectiveError, TrainingContext
from hrnn_tuner.algorithms.hrnn import ALGORITHM
from hrnn_tuner.domain.objective import Objective
from worker_service.hrnn.data.dataset import TrainingData
from worker_service.hrnn.data.own_history import OwnHistories
from worker_service.hrnn.data.queries import Queries
from worker_service.hrnn.data.recency import TARGET_FACTOR, item_counts, target_weights
from worker_service.hrnn.data.side_information import SideInformation
from worker_service.hrnn.evaluation.evaluate import Evaluation, evaluate
from worker_service.hrnn.evaluation.model_scorer import ModelScorer
from worker_service.hrnn.network.dropout import Dropout
from worker_service.hrnn.network.metadata_tensors import MetadataTensors
from worker_service.hrnn.settings import HrnnSettings
from worker_service.hrnn.training.batches import TrainingTensors
from worker_service.hrnn.training.catalogue_loss import choose_loss
from worker_service.hrnn.training.checkpoint import Checkpoint, identity_of, load_checkpoint, save_checkpoint
from worker_service.hrnn.training.chunk_loss import chunk_loss
from worker_service.hrnn.training.initial_model import initial_model
from worker_service.hrnn.training.position_metadata import PositionMetadata
from worker_service.hrnn.training.schedule import learning_rate_factor
from worker_service.hrnn.training.streams import chunks, pack, stream_count

_GRADIENT_NORM = 1.0
#: On a GPU reading the loss waits for the device; a loss that is not finite stays so and is found a little later.
_STEPS_PER_LOSS_CHECK_GPU = 32


@dataclass(frozen=True)
class BestEpoch:
    """The epoch with the best objective so far, with its weights on the CPU."""

    epoch: int
    metrics: Mapping[str, float]
    weights: Mapping[str, Tensor]


class HrnnTraining:
    """The state of one training job.

    Args:
        data: What to learn from.
        settings: The hyperparameters.
        context: Device, seed and reports.
        side: What else is known; None for nothing.

    Attributes:
        seed: Of all that it draws.
        counts: How often each item counts as used, for popularity [N].
        model: The network.
    """

    def __init__(
        self,
        data: TrainingData,
        settings: HrnnSettings,
        context: TrainingContext,
        side: SideInformation | None = None,
    ) -> None:
        self._data = data
        self._settings = settings
        self._context = context
        self._side = side
        device = context.device
        self.seed = settings.seed or context.seed
        self._shuffles = np.random.default_rng(self.seed)
        self._draws = torch.Generator(device).manual_seed(self.seed)
        popular_for = data.half_life_days if settings.recency_mask else None
        self.counts = item_counts(data.events_item, data.events_time, len(data.catalogue), popular_for)
        self.model = initial_model(data, settings, self.counts, side, self.seed).to(device)
        without_identity = 0.0 if side is None else side.identity_dropout
        self._dropout = Dropout(settings.dropout, self._draws, identities=without_identity)
        self._metadata = None if side is None else MetadataTensors(side, device)
        weights = target_weights(data.positions.target_time, int(data.events_time.max()), self._half_life())
        events = (data.events_item, data.events_time, data.events_offsets)
        self._tensors = TrainingTensors(
            data.positions,
            weights,
            device,
            OwnHistories(*events, data.rule, device) if settings.own_items else None,
            data.positions.target_time if settings.use_query_gap else None,
            None if self._metadata is None else PositionMetadata(data, self._metadata),
        )
        self._loss = choose_loss(data, settings, self._draws)
        self._optimizer = torch.optim.Adam(self.model.parameters(), lr=settings.learning_rate, fused=True)
        self._started = False

    def run(self) -> BestEpoch | None:
        """Trains until the last epoch, until patience runs out, or until asked to stop.

        With a ``checkpoint_dir`` in the context, every epoch ends with a checkpoint, and a training that finds one goes
        on behind it, after reporting the epochs before once more. On a CPU the outcome is then the same to the last bit
        as without the interruption.

        Returns:
            The best epoch; None when the training job was asked to stop before the end of its first epoch.

        Raises:
            InvalidObjectiveError: When the loss becomes NaN or infinite.
        """
        metric = ALGORITHM.metric(self._context.objective_metric)
        if metric is None:
            raise InvalidObjectiveError(f"the algorithm reports no metric {self._context.objective_metric!r}")
        objective = Objective(metric.objective_type, metric.name)
        reports, best = self._resume()
        for epoch in range(len(reports) + 1, self._settings.epochs + 1):
            if best is not None and epoch - 1 - best.epoch >= self._settings.patience:
                break
            loss = self.train_epoch(epoch)
            if loss is None:
                break
            metrics = {**self.measure(self._data.validation).metrics(), "train_loss": loss}
            self._context.report(epoch, metrics)
            reports.append(metrics)
            if best is None or objective.is_better(metrics[metric.name], best.metrics[metric.name]):
                weights = {name: tensor.detach().cpu().clone() for name, tensor in self.model.state_dict().items()}
                best = BestEpoch(epoch, metrics, weights)
            self._save(reports, best)
        return best

    def measure(self, queries: Queries) -> Evaluation:
        """Measures the model as it is."""
        return evaluate(self.scorer(), queries, len(self._data.catalogue), self._data.total_items)

    def scorer(self) -> ModelScorer:
        """Scores items with the model as it is; by their metadata alone where new items are to be recommended."""
        new_items = self._side is not None and self._side.cold is not None
        return ModelScorer(self.model, self._data.rule, self._metadata, by_metadata=new_items)

    def train_epoch(self, epoch: int) -> float | None:
        """One pass over the training users; returns the mean weighted loss, or None when asked to stop.

        Args:
            epoch: Counts from 1.

        Raises:
            InvalidObjectiveError: When the loss becomes NaN or infinite.
        """
        settings, positions = self._settings, self._data.positions
        lengths = np.diff(positions.offsets)
        count = stream_count(settings.batch_tokens, settings.bptt, len(lengths))
        streams = pack(lengths, count, self._shuffles)
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

    def _half_life(self) -> float | None:
        """Days after which a target counts half; None when all count alike."""
        if not self._settings.recency_mask:
            return None
        return self._settings.recency_half_life_days or TARGET_FACTOR * self._data.half_life_days

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

    def _identity(self) -> str:
        """What a checkpoint must agree in."""
        context = self._context
        seeds = {"seed": self.seed, "split_seed": context.split_seed, "objective": context.objective_metric}
        data = {"data": self._data.fingerprint, "side": None if self._side is None else self._side.fingerprint}
        return identity_of({**dataclasses.asdict(self._settings), **seeds, **data})

    def _save(self, reports: list[dict[str, float]], best: BestEpoch) -> None:
        """Writes a checkpoint, where the context has a place for one."""
        folder = self._context.checkpoint_dir
        if folder is None:
            return
        checkpoint = Checkpoint(
            identity=self._identity(),
            reports=reports,
            weights=self.model.state_dict(),
            optimizer=self._optimizer.state_dict(),
            shuffles=json.dumps(self._shuffles.bit_generator.state),
            draws=self._draws.get_state(),
            best_epoch=best.epoch,
            best_weights=best.weights,
        )
        save_checkpoint(folder, checkpoint)
        self._context.checkpointed(len(reports))

    def _resume(self) -> tuple[list[dict[str, float]], BestEpoch | None]:
        """Takes up the checkpoint, if there is one; returns the metrics of the epochs before, and the best of them."""
        folder = self._context.checkpoint_dir
        found = None if folder is None else load_checkpoint(folder, self._identity())
        if found is None:
            return [], None
        self.model.load_state_dict(found.weights)
        self._optimizer.load_state_dict(dict(found.optimizer))
        self._shuffles.bit_generator.state = json.loads(found.shuffles)
        self._draws.set_state(found.draws)
        self._announce()
        self._context.resumed(len(found.reports))
        for epoch, metrics in enumerate(found.reports, start=1):
            self._context.report(epoch, metrics)
        return found.reports, BestEpoch(found.best_epoch, found.reports[found.best_epoch - 1], found.best_weights)
