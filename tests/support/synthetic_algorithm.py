"""An algorithm without data, torch or luck, for tests and benchmarks of everything around an algorithm.

Announce it with ``HRNN_TUNER_ALGORITHMS=tests.support.synthetic_algorithm:ALGORITHM``. Its score is known in closed
form (`score`), so that a test can tell what the best training job must be.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time

from hrnn_tuner.algorithms.contract import AlgorithmError, TrainingContext
from hrnn_tuner.algorithms.specification import Algorithm, Channel, Hyperparameter, HyperparameterType, Metric
from hrnn_tuner.domain.objective import ObjectiveType

#: Copied from the environment into the manifest, to show what a training job's environment was.
NOTE_VARIABLE = "SYNTHETIC_NOTE"
#: The crashing trainer's exit status.
CRASH_STATUS = 3
#: The one file of a checkpoint.
CHECKPOINT = "epoch"

_CATEGORY_PENALTY = {"a": 0.0, "b": 0.05, "c": 0.1}
_STEP_S = 0.005

ALGORITHM = Algorithm(
    name="synthetic",
    description="A test double with a known optimum at x = 0.3, k = 3, c = a, flag = false.",
    hyperparameters=(
        Hyperparameter("x", HyperparameterType.CONTINUOUS, 0.5, "Best at 0.3.", minimum=0.0, maximum=1.0),
        Hyperparameter("k", HyperparameterType.INTEGER, 3, "Best at 3.", minimum=1, maximum=10),
        Hyperparameter("c", HyperparameterType.CATEGORICAL, "a", "Best at a.", choices=("a", "b", "c")),
        Hyperparameter("flag", HyperparameterType.BOOLEAN, False, "Best at false."),
        Hyperparameter(
            "epochs", HyperparameterType.INTEGER, 3, "Number of epochs.", minimum=1, maximum=1000, tunable=False
        ),
        Hyperparameter(
            "epoch_seconds",
            HyperparameterType.CONTINUOUS,
            0.0,
            "Duration of an epoch.",
            minimum=0.0,
            maximum=60.0,
            tunable=False,
        ),
        Hyperparameter(
            "fail",
            HyperparameterType.CATEGORICAL,
            "none",
            "How to fail after the first epoch.",
            choices=("none", "error", "bug", "crash", "nan", "oom", "hang"),
            tunable=False,
        ),
    ),
    metrics=(Metric("score", ObjectiveType.MAXIMIZE, "Rises with every epoch towards its final value."),),
    channels=(Channel("interactions", required=False, required_columns=(), description="Not read."),),
    trainer="tests.support.synthetic_algorithm:SyntheticTrainer",
)


def score(*, x: float, k: int = 3, c: str = "a", flag: bool = False, epoch: int) -> float:
    """The score at the end of an epoch, at most 1."""
    final = 1.0 - (x - 0.3) ** 2 - 0.01 * (k - 3) ** 2 - _CATEGORY_PENALTY[c] - (0.05 if flag else 0.0)
    return final - 0.5**epoch


class SyntheticTrainer:
    """Trains nothing."""

    def warm_up(self, device: str) -> None:
        """Needs nothing."""

    def train(self, context: TrainingContext) -> None:
        """Reports the known scores, failing where it was told to, and leaves a model also when it was stopped."""
        values = context.hyperparameters
        began = time.time()
        print(f"synthetic training with x={values['x']}")
        print(f"the note is {os.environ.get(NOTE_VARIABLE, '')!r}", file=sys.stderr)
        context.training_started()
        first = self._resume(context) + 1
        epochs = 0
        for epoch in range(1, int(values["epochs"]) + 1):
            if epoch >= first and not self._epoch(context, float(values["epoch_seconds"])):
                break
            value = score(
                x=float(values["x"]), k=int(values["k"]), c=str(values["c"]), flag=bool(values["flag"]), epoch=epoch
            )
            context.report(epoch, {"score": float("nan") if values["fail"] == "nan" else value})
            epochs = epoch
            if epoch < first:
                continue
            self._save(context, epoch)
            self._fail(str(values["fail"]))
        if epochs == 0:
            return
        (context.artifact_dir / "model.txt").write_text(json.dumps(dict(values), sort_keys=True))
        facts = {
            "hyperparameters": dict(values),
            "pid": os.getpid(),
            "first_epoch": first,
            "note": os.environ.get(NOTE_VARIABLE, ""),
            "epochs": epochs,
            "began": began,  # seconds since 1970, by the host's clock
            "ended": time.time(),
        }
        (context.artifact_dir / "manifest.json").write_text(json.dumps(facts, sort_keys=True))

    def _resume(self, context: TrainingContext) -> int:
        """The epoch behind which a checkpoint goes on, 0 without one."""
        path = None if context.checkpoint_dir is None else context.checkpoint_dir / CHECKPOINT
        if path is None or not path.exists():
            return 0
        epoch = int(path.read_text())
        context.resumed(epoch)
        return epoch

    def _save(self, context: TrainingContext, epoch: int) -> None:
        """Saves a checkpoint, which is the number of the epoch."""
        if context.checkpoint_dir is None:
            return
        draft = context.checkpoint_dir / f"{CHECKPOINT}.new"
        draft.write_text(str(epoch))
        draft.rename(context.checkpoint_dir / CHECKPOINT)
        context.checkpointed(epoch)

    def _epoch(self, context: TrainingContext, seconds: float) -> bool:
        """Takes its time; False when asked to stop."""
        end = time.monotonic() + seconds
        while not context.should_stop():
            left = end - time.monotonic()
            if left <= 0:
                return True
            threading.Event().wait(min(left, _STEP_S))
        return False

    def _fail(self, how: str) -> None:
        if how == "error":
            raise AlgorithmError("synthetic error")
        if how == "bug":
            raise RuntimeError("synthetic bug")
        if how == "oom":
            raise MemoryError("synthetic shortage")
        if how == "crash":
            print("synthetic crash", end="", flush=True)  # last words, without a line's end
            os._exit(CRASH_STATUS)
        if how == "hang":
            threading.Event().wait()
