"""Trains what the speed table compares, each in a process of its own, on one thread."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hrnn_tuner.domain.data_channel import DataChannel
from hrnn_tuner.domain.search_space import Value
from tests.benchmarks.hrnn.ablation import without_sessions
from tests.benchmarks.hrnn.datasets import CACHE, interactions
from tests.benchmarks.hrnn.fitting import BenchContext
from tests.benchmarks.hrnn.peers.curve import Curve, traced
from tests.benchmarks.hrnn.peers.padded_gru import PaddedTraining
from tests.benchmarks.hrnn.peers.recbole_environment import recbole_python
from tests.benchmarks.hrnn.splits import LeaveLastOut
from tests.benchmarks.paths import DATA
from tests.benchmarks.runs import Figures
from worker_service.hrnn.data.cache import load_interactions
from worker_service.hrnn.data.dataset import TrainingData, training_data
from worker_service.hrnn.data.preparation import Interactions
from worker_service.hrnn.data.recency import TARGET_FACTOR, target_weights
from worker_service.hrnn.evaluation.evaluate import Scorer, evaluate
from worker_service.hrnn.settings import HrnnSettings
from worker_service.hrnn.training.training_job import HrnnTraining

HIDDEN = 64
#: RecBole's own patience; the padded GRU gets the same, and its number of epochs is no limit either.
PATIENCE = 10
EPOCHS = 300
#: Processor seconds of training after which RecBole is stopped.
CAP_CPU_S = 300
#: Not that of the data: RecBole answers to ``ml-100k`` with a copy of its own, in another order.
_THEIR_NAME = "events"
#: What differs from the product's defaults; without the percentile the longest histories would not train.
COMMON: Mapping[str, Value] = {"hidden_dimension": HIDDEN, "max_user_history_length_percentile": 1.0}
PRODUCT: Mapping[str, Mapping[str, Value]] = {
    "hrnn": {},
    "hrnn, cell flat": {"cell": "flat"},
    "hrnn, cell flat, order only": {"cell": "flat", "use_query_gap": False, "own_items": False, "recency_mask": False},
}
#: RecBole's train_batch_size and learning_rate.
RECBOLE: Mapping[str, tuple[int, float]] = {
    "RecBole GRU4Rec, defaults": (2048, 0.001),
    "RecBole GRU4Rec, smaller batches": (256, 0.003),
}
_NDCG = "normalized_discounted_cumulative_gain_at_10"
#: RecBole's metric and ours, computed from the same scores, differ by rounding only.
_TOLERANCE = 1e-4


def measure_product(data_name: str, variant: str, seed: int) -> Figures:
    """Trains this project's network."""
    torch.set_num_threads(1)
    hyperparameters = {**COMMON, **PRODUCT[variant]}
    settings = HrnnSettings.from_hyperparameters(hyperparameters)
    data = training_data(_load(data_name), settings, 0, LeaveLastOut())
    if variant.endswith("order only"):
        data = without_sessions(data)
    title = f"{variant}, seed {seed}"
    training = HrnnTraining(data, settings, BenchContext(title, seed, _NDCG, hyperparameters))
    return traced(
        title,
        _counted(data, settings),
        training.train_epoch,
        lambda: training.measure(data.validation).metrics()[_NDCG],
        settings.epochs,
        settings.patience,
    ).figures()


def measure_padded(data_name: str, seed: int) -> Figures:
    """Trains the padded GRU."""
    torch.set_num_threads(1)
    data = training_data(_load(data_name), HrnnSettings.from_hyperparameters(COMMON), 0, LeaveLastOut())
    training = PaddedTraining(data, HIDDEN, seed)
    title = "padded GRU"
    return traced(
        title,
        training.events,
        training.train_epoch,
        lambda: _ndcg(training.model.score_queries, data),
        EPOCHS,
        PATIENCE,
    ).figures()


def measure_recbole(data_name: str, variant: str, seed: int) -> Figures:
    """Trains RecBole's GRU4Rec in its own environment.

    Raises:
        RuntimeError: When it is asked about other events than this project's network, learns from other targets, or
            measures something else.
    """
    source = _load(data_name)
    batch, learning_rate = RECBOLE[variant]
    options = {"hidden": HIDDEN, "seed": seed, "batch": batch, "learning-rate": learning_rate, "cap-s": CAP_CPU_S}
    script = Path(__file__).parent / "peers" / "recbole_gru4rec.py"
    with tempfile.TemporaryDirectory() as folder:
        _write_for_recbole(source, Path(folder))
        command = [str(recbole_python()), "-W", "ignore", str(script), folder, _THEIR_NAME]
        command += [word for name, value in options.items() for word in (f"--{name}", str(value))]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, cwd=folder, env={**os.environ, "OMP_NUM_THREADS": "1"}
        ) as process:
            start, *epochs, end = _said(variant, process)
    if process.returncode:
        raise RuntimeError(f"RecBole ended with status {process.returncode}")
    if start["asked"] != _digest(source):
        raise RuntimeError("RecBole holds out other events")
    if abs(end["their_ndcg"] - end["checked_ndcg"]) > _TOLERANCE:
        raise RuntimeError(f"RecBole's NDCG@10 means something else: {end}")
    cpu_s, wall_s, ndcg = (np.array([epoch[name] for epoch in epochs]) for name in ("cpu_s", "wall_s", "ndcg"))
    return Curve(start["events"], cpu_s, wall_s, ndcg, end["peak_mb"], end["capped"]).figures()


def _load(name: str) -> Interactions:
    """A data set, all ratings."""
    if name == "ml-100k":
        return load_interactions(DataChannel(str(DATA / name / "interactions.csv.gz")), CACHE)
    return interactions(name)


def _counted(data: TrainingData, settings: HrnnSettings) -> int:
    """Targets that have weight."""
    half_life = TARGET_FACTOR * data.half_life_days if settings.recency_mask else None
    return int((target_weights(data.positions.target_time, int(data.events_time.max()), half_life) > 0).sum())


def _ndcg(score: Scorer, data: TrainingData) -> float:
    """NDCG@10 on validation."""
    return evaluate(score, data.validation, len(data.catalogue), data.total_items).metrics()[_NDCG]


def _write_for_recbole(source: Interactions, folder: Path) -> None:
    """Writes the events in RecBole's format; the time is the place in the history, so that the order is the same."""
    lengths = np.diff(source.offsets)
    user = np.repeat(np.arange(len(lengths)), lengths)
    place = np.arange(len(user)) - source.offsets[user]
    lines = (f"{u}\t{i}\t{p}\n" for u, i, p in zip(user, source.item, place, strict=True))
    (folder / _THEIR_NAME).mkdir()
    (folder / _THEIR_NAME / f"{_THEIR_NAME}.inter").write_text(
        "user_id:token\titem_id:token\ttimestamp:float\n" + "".join(lines)
    )


def _said(variant: str, process: subprocess.Popen[str]) -> list[dict[str, Any]]:
    """The lines of JSON that a process prints, shown as they come."""
    found = []
    for line in process.stdout or ():
        print(f"{variant}: {line}", end="", flush=True)
        if line.startswith("{"):
            found.append(json.loads(line))
    return found


def _digest(source: Interactions) -> str:
    """Digest of the validation events, as RecBole's script makes it."""
    asked = source.offsets[1:] - 2
    lines = sorted(f"{user} {source.item[event]}" for user, event in enumerate(asked))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
