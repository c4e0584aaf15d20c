"""The trainer of ``hrnn``, as the worker runs it."""

from __future__ import annotations

import os

import numpy as np
import torch

from hrnn_tuner.algorithms.contract import DataError, TrainingContext
from worker_service.hrnn.artifact import save_artifact
from worker_service.hrnn.data.cache import load_interactions
from worker_service.hrnn.data.dataset import training_data
from worker_service.hrnn.data.preparation import check_trainable
from worker_service.hrnn.network.cell import StepMarks
from worker_service.hrnn.network.loss import full_softmax_loss
from worker_service.hrnn.network.model import Dropout, HrnnModel, ModelShape
from worker_service.hrnn.settings import HrnnSettings
from worker_service.hrnn.training.batches import Batch
from worker_service.hrnn.training.training_job import HrnnTraining, chunk_loss

#: Threads of torch in a trainer process. One by default: several trainers share a host, and small matrices gain
#: nothing from more.
THREADS_VARIABLE = "HRNN_TUNER_TORCH_THREADS"


class HrnnTrainer:
    """Trains HRNN models, one after another in one process; only caches of prepared data outlive a training job."""

    def warm_up(self, device: str) -> None:
        """Runs one small optimizer step, so that a first training job does not wait for lazy initialisation."""
        torch.set_num_threads(int(os.environ.get(THREADS_VARIABLE, "1")))
        generator = torch.Generator().manual_seed(0)
        model = HrnnModel(ModelShape(items=8, hidden_dimension=8, cell="hrnn", use_query_gap=True), generator).to(
            device
        )
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
        steps = torch.arange(4, device=device)
        features = np.ones((2, 2, 4), np.float32)
        batch = Batch(
            items=torch.ones(2, 2, dtype=torch.long, device=device),
            features=torch.from_numpy(features).to(device),
            marks=StepMarks.of(features, device),
            counted=steps,
            targets=steps,
            target_features=torch.ones(4, 4, device=device),
            weights=torch.ones(4, device=device),
        )
        loss, _ = chunk_loss(
            model,
            batch,
            model.initial_state(2),
            lambda own, queries, targets, weights: full_softmax_loss(
                queries, own.item_rows, own.bias, targets, weights
            ),
            Dropout(0.5, torch.Generator(device).manual_seed(0)),
        )
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    def train(self, context: TrainingContext) -> None:
        """Trains until done or asked to stop, and leaves the best epoch's model in ``artifact_dir``.

        Nothing is left there when the training job is asked to stop before the end of its first epoch.

        Raises:
            DataError: When the interactions are missing, malformed or too few.
            InvalidObjectiveError: When the loss becomes NaN or infinite.
        """
        settings = HrnnSettings.from_hyperparameters(context.hyperparameters)
        uri = context.channels.get("interactions")
        if uri is None:
            raise DataError(f"the channel 'interactions' is missing; given: {', '.join(context.channels) or 'none'}")
        interactions = load_interactions(uri, context.cache_dir)
        check_trainable(interactions, uri)
        data = training_data(interactions, settings, context.split_seed)
        training = HrnnTraining(data, settings, context)
        best = training.run()
        if best is None:
            return
        training.model.load_state_dict(best.weights)
        # The test users had no part in any choice; they show how much the validation score flatters the winner.
        test = training.evaluate(data.test) if len(data.test) else None
        save_artifact(
            context.artifact_dir,
            training.model.shape,
            best.weights,
            tuple(interactions.items[int(item)] for item in data.catalogue),
            torch.from_numpy(training.counts),
            data.rule,
            {
                "hyperparameters": dict(context.hyperparameters),
                "objective_metric": context.objective_metric,
                "epoch": best.epoch,
                "metrics": dict(best.metrics),
                "test_metrics": test,
                "seed": context.seed,
                "split_seed": context.split_seed,
                "data_fingerprint": data.fingerprint,
            },
        )
