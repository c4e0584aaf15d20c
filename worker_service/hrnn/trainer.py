"""The trainer of ``hrnn``, as the worker runs it."""

from __future__ import annotations

import os

import torch

from hrnn_tuner.algorithms.contract import DataError, TrainingContext
from worker_service.hrnn.artifact import save_artifact
from worker_service.hrnn.data.cache import load_interactions
from worker_service.hrnn.data.dataset import training_data
from worker_service.hrnn.data.preparation import check_trainable
from worker_service.hrnn.evaluation.intervals import metric_intervals
from worker_service.hrnn.settings import HrnnSettings
from worker_service.hrnn.training.training_job import HrnnTraining
from worker_service.hrnn.training.warm_up import train_a_moment

#: Threads of torch in a trainer process. One by default: several trainers share a host, and small matrices gain
#: nothing from more.
THREADS_VARIABLE = "HRNN_TUNER_TORCH_THREADS"


class HrnnTrainer:
    """Trains HRNN models, one after another in one process; only caches of prepared data outlive a training job."""

    def warm_up(self, device: str) -> None:
        """Trains a tiny model, so that a first training job does not wait for lazy initialisation."""
        torch.set_num_threads(int(os.environ.get(THREADS_VARIABLE, "1")))
        train_a_moment(device)

    def train(self, context: TrainingContext) -> None:
        """Trains until done or asked to stop, and leaves the best epoch's model in ``artifact_dir``.

        Nothing is left there when the training job is asked to stop before the end of its first epoch.

        Raises:
            DataError: When the interactions are missing, malformed or too few.
            InvalidObjectiveError: When the loss becomes NaN or infinite.
        """
        settings = HrnnSettings.from_hyperparameters(context.hyperparameters)
        channel = context.channels.get("interactions")
        if channel is None:
            raise DataError(f"the channel 'interactions' is missing; given: {', '.join(context.channels) or 'none'}")
        interactions = load_interactions(channel, context.cache_dir)
        check_trainable(interactions, channel)
        data = training_data(interactions, settings, context.split_seed)
        training = HrnnTraining(data, settings, context)
        best = training.run()
        if best is None:
            return
        training.model.load_state_dict(best.weights)
        # The test users had no part in any choice; they show how much the validation score flatters the winner.
        test = training.measure(data.test) if len(data.test) else None
        intervals = {} if test is None else metric_intervals(test)
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
                "test_metrics": None if test is None else test.metrics(),
                "test_intervals": {name: [found.low, found.high] for name, found in intervals.items()},
                "unknown_truth_share": {
                    "validation": data.validation.unknown_truth_share,
                    "test": data.test.unknown_truth_share,
                },
                "seed": context.seed,
                "split_seed": context.split_seed,
                "data_fingerprint": data.fingerprint,
            },
        )
