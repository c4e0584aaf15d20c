"""The trainers of the recipes with a network, as the worker runs them."""

from __future__ import annotations

import os
from typing import Any

import torch

from hrnn_tuner.algorithms.contract import TrainingContext
from worker_service.hrnn.artifact import save_artifact
from worker_service.hrnn.data.dataset import training_data
from worker_service.hrnn.evaluation.new_items import new_item_figures
from worker_service.hrnn.recipes import HRNN, HRNN_COLDSTART, HRNN_METADATA, Recipe
from worker_service.hrnn.settings import HrnnSettings
from worker_service.hrnn.training.training_job import HrnnTraining
from worker_service.hrnn.training.warm_up import train_a_moment
from worker_service.hrnn.training_facts import training_facts

#: Threads of torch in a trainer process. One by default: several trainers share a host, and small matrices gain
#: nothing from more.
THREADS_VARIABLE = "HRNN_TUNER_TORCH_THREADS"


class HrnnTrainer:
    """Trains models of one recipe, one after another in one process; only caches of prepared data outlive a job.

    Args:
        recipe: What they learn from.
    """

    def __init__(self, recipe: Recipe = HRNN) -> None:
        self._recipe = recipe

    def warm_up(self, device: str) -> None:
        """Trains a tiny model, so that a first training job does not wait for lazy initialisation.

        Matrix products on a GPU take factors of 10 bits (TF32) from then on, as the noise of training is far larger.
        """
        torch.backends.cuda.matmul.allow_tf32 = True
        torch.set_num_threads(int(os.environ.get(THREADS_VARIABLE, "1")))
        train_a_moment(device)

    def train(self, context: TrainingContext) -> None:
        """Trains until done or asked to stop, and leaves the best epoch's model in ``artifact_dir``.

        Nothing is left there when the training job is asked to stop before the end of its first epoch.

        Raises:
            DataError: When data are missing, malformed or too few.
            InvalidObjectiveError: When the loss becomes NaN or infinite.
        """
        settings = HrnnSettings.from_hyperparameters(context.hyperparameters, self._recipe.algorithm)
        interactions, side = self._recipe.gather(context)
        data = training_data(interactions, settings, context.split_seed)
        training = HrnnTraining(data, settings, context, side)
        best = training.run()
        if best is None:
            return
        training.model.load_state_dict(best.weights)
        test = training.measure(data.test) if len(data.test) else None
        facts: dict[str, Any] = training_facts(context, data, best.epoch, best.metrics, test, seed=training.seed)
        new_items = None
        if side is not None:
            facts["side_information_fingerprint"] = side.fingerprint
            if side.cold is not None:
                new_items = torch.from_numpy(side.cold[data.catalogue])
                facts["new_items"] = new_item_figures(training.scorer(), data.test, new_items)
        save_artifact(
            context.artifact_dir,
            training.model.shape,
            best.weights,
            tuple(interactions.items[int(item)] for item in data.catalogue),
            torch.from_numpy(training.counts),
            data.rule,
            facts,
            algorithm=self._recipe.algorithm.name,
            encodings=None if side is None else side.encodings,
            recommendable=new_items,
        )


class MetadataTrainer(HrnnTrainer):
    """Trains ``hrnn-metadata``."""

    def __init__(self) -> None:
        super().__init__(HRNN_METADATA)


class ColdstartTrainer(HrnnTrainer):
    """Trains ``hrnn-coldstart``."""

    def __init__(self) -> None:
        super().__init__(HRNN_COLDSTART)
