"""The state of a training job at the end of an epoch, from which it goes on as if it had never stopped."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

FORMAT_VERSION = 1
_FILE = "checkpoint.pt"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Checkpoint:
    """Everything that later epochs depend on.

    Attributes:
        identity: What was trained on what; a checkpoint of anything else is not taken up.
        reports: The metrics of each finished epoch.
        weights: The model.
        optimizer: State of the optimizer.
        shuffles: State of the generator that shuffles users, as JSON.
        draws: State of the generator of dropout and negatives.
        best_epoch: The epoch with the best objective.
        best_weights: Its weights.
    """

    identity: str
    reports: list[dict[str, float]]
    weights: Mapping[str, Tensor]
    optimizer: Mapping[str, Any]
    shuffles: str
    draws: Tensor
    best_epoch: int
    best_weights: Mapping[str, Tensor]


def identity_of(facts: Mapping[str, Any]) -> str:
    """Hex digest of what decides about a training: hyperparameters, seeds, data."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()


def save_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Replaces the checkpoint in a folder; whoever reads sees the old one or the new one, never a half."""
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{_FILE}.writing"
    with temporary.open("wb") as file:
        torch.save({"format_version": FORMAT_VERSION, **asdict(checkpoint)}, file)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(folder / _FILE)


def load_checkpoint(folder: Path, identity: str) -> Checkpoint | None:
    """Reads the checkpoint in a folder; None when there is none, or none that this training can go on from."""
    path = folder / _FILE
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)  # tensors and plain values, never code
        version = content.pop("format_version")
        found = Checkpoint(**content) if version == FORMAT_VERSION else None
    except FileNotFoundError:
        return None
    except Exception as error:  # noqa: BLE001 - reading garbage can raise anything
        _log.warning("checkpoint %s cannot be read, training starts anew: %s", path, error)
        return None
    if found is None or found.identity != identity:
        _log.warning("checkpoint %s is of another training or version, training starts anew", path)
        return None
    _log.info("going on after epoch %d of %s", len(found.reports), path)
    return found
