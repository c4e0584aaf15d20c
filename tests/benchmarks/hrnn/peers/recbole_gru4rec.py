"""Trains RecBole's GRU4Rec and prints a line of JSON after every epoch; runs in RecBole's own environment.

It imports nothing of this project, and all that it knows of the data is a file in RecBole's format. RecBole's trainer
does the work and decides when to stop; the clock stands around its training epochs.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from recbole.config import Config  # type: ignore[import-not-found]
from recbole.data import create_dataset, data_preparation  # type: ignore[import-not-found]
from recbole.model.sequential_recommender import GRU4Rec  # type: ignore[import-not-found]
from recbole.trainer import Trainer  # type: ignore[import-not-found]
from recbole.utils import init_seed  # type: ignore[import-not-found]

_METRIC = "NDCG@10"


class CapReachedError(Exception):
    """The processor time given to the training is used up."""


class Clock:
    """Sums up what calls cost, in seconds of the processor and of the wall."""

    def __init__(self) -> None:
        self.cpu_s = 0.0
        self.wall_s = 0.0

    def around(self, work: Callable[..., Any]) -> Callable[..., Any]:
        """The same work, timed."""

        def timed(*arguments: Any, **options: Any) -> Any:
            cpu, wall = time.process_time(), time.monotonic()
            try:
                return work(*arguments, **options)
            finally:
                self.cpu_s += time.process_time() - cpu
                self.wall_s += time.monotonic() - wall

        return timed


def main() -> None:
    """Trains until RecBole stops, or until the cap."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, help="holds NAME/NAME.inter")
    parser.add_argument("name")
    parser.add_argument("--hidden", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--batch", type=int, required=True, help="RecBole's train_batch_size")
    parser.add_argument("--learning-rate", type=float, required=True)
    parser.add_argument("--cap-s", type=float, required=True, help="processor seconds of training, at most")
    arguments = parser.parse_args()
    sys.argv[1:] = []  # RecBole would read them, too
    torch.set_num_threads(1)
    trainer, training, validation = _prepared(arguments)
    _say(events=len(training.dataset), asked=_digest(validation.dataset))
    learning = Clock()
    trainer._train_epoch = learning.around(trainer._train_epoch)

    def epoch_done(epoch: int, ndcg: float) -> None:
        """Prints one epoch."""
        _say(
            epoch=epoch + 1,
            ndcg=ndcg,
            cpu_s=learning.cpu_s,
            wall_s=learning.wall_s,
        )
        if learning.cpu_s >= arguments.cap_s:
            raise CapReachedError

    capped = False
    try:
        trainer.fit(training, validation, verbose=False, saved=False, callback_fn=epoch_done)
    except CapReachedError:
        capped = True
    peak_mb = _peak_mb()
    _, found = trainer._valid_epoch(validation)
    checked = _ndcg_by_rank(trainer.model, validation)
    _say(capped=capped, peak_mb=peak_mb, their_ndcg=found[_METRIC.lower()], checked_ndcg=checked)


def _prepared(arguments: argparse.Namespace) -> tuple[Any, Any, Any]:
    """Trainer, training data and validation data; everything that is not named here is RecBole's default."""
    options = {
        "data_path": str(arguments.folder),
        "checkpoint_dir": str(arguments.folder / "saved"),
        "load_col": {"inter": ["user_id", "item_id", "timestamp"]},
        "embedding_size": arguments.hidden,
        "hidden_size": arguments.hidden,
        "train_batch_size": arguments.batch,
        "learning_rate": arguments.learning_rate,
        "train_neg_sample_args": None,  # the full softmax takes no negatives
        "eval_args": {"split": {"LS": "valid_and_test"}, "order": "TO", "group_by": "user", "mode": "full"},
        "valid_metric": _METRIC,
        "metrics": ["NDCG"],
        "metric_decimal_place": 8,
        "use_gpu": False,
        "show_progress": False,
        "seed": arguments.seed,
        "state": "ERROR",
    }
    config = Config(model="GRU4Rec", dataset=arguments.name, config_dict=options)
    logging.disable(logging.WARNING)
    init_seed(config["seed"], config["reproducibility"])
    training, validation, _ = data_preparation(config, create_dataset(config))
    model = GRU4Rec(config, training.dataset).to(config["device"])
    return Trainer(config, model), training, validation


def _digest(asked: Any) -> str:
    """Digest of who is asked about which item, by the names in the file."""
    users = asked.id2token("user_id", asked.inter_feat["user_id"].numpy())
    items = asked.id2token("item_id", asked.inter_feat["item_id"].numpy())
    lines = sorted(f"{user} {item}" for user, item in zip(users, items, strict=True))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


@torch.no_grad()
def _ndcg_by_rank(model: Any, validation: Any) -> float:
    """The metric by this project's definition: 1 / log2(1 + rank) of the one target, ties counted against it."""
    model.eval()
    gains = []
    for interaction, _, rows, targets in validation:
        scores = model.full_sort_predict(interaction)
        scores[:, 0] = float("-inf")  # padding
        ranks = (scores >= scores[rows, targets][:, None]).sum(dim=1)
        gains.append(torch.where(ranks <= 10, 1 / torch.log2(1.0 + ranks), 0.0))
    return float(torch.cat(gains).double().mean())


def _peak_mb() -> float:
    """Largest resident memory of this program; unlike ``getrusage``, without what its parent had before it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def _say(**facts: Any) -> None:
    """Prints a line of JSON."""
    print(json.dumps(facts), flush=True)


if __name__ == "__main__":
    main()
