"""A trained model on disk: weights in safetensors, everything else in JSON; no code is ever loaded from it.

* ``model.safetensors``: the weights, and ``item_counts``, the popularity that unknown users are served by.
* ``items.json``: ITEM_ID of each row of the catalogue.
* ``manifest.json``: hyperparameters, metrics, session rule, data fingerprint and versions.
"""

from __future__ import annotations

import dataclasses
import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from hrnn_tuner import __version__
from hrnn_tuner.algorithms.contract import AlgorithmError
from worker_service.hrnn.data.sessions import SessionRule
from worker_service.hrnn.network.model import HrnnModel, ModelShape

FORMAT_VERSION = 1
_WEIGHTS, _ITEMS, _MANIFEST = "model.safetensors", "items.json", "manifest.json"
_COUNTS = "item_counts"


@dataclass(frozen=True)
class Artifact:
    """A model with what is needed to serve it.

    Attributes:
        model: The network, on the device that was asked for.
        items: ITEM_ID by row of the catalogue, N of them.
        item_counts: Events per item in the training data, decayed if the training was [N].
        rule: The session rule of the training data.
        manifest: The manifest as read.
    """

    model: HrnnModel
    items: tuple[str, ...]
    item_counts: Tensor
    rule: SessionRule
    manifest: Mapping[str, Any]


def save_artifact(
    folder: Path,
    shape: ModelShape,
    weights: Mapping[str, Tensor],
    items: tuple[str, ...],
    item_counts: Tensor,
    rule: SessionRule,
    facts: Mapping[str, Any],
) -> None:
    """Writes a model.

    Args:
        folder: An existing directory.
        shape: The model's dimensions.
        weights: Its weights.
        items: ITEM_ID by row of the catalogue.
        item_counts: Events per item [N].
        rule: The session rule.
        facts: What else the manifest shall say, as JSON values.
    """
    tensors = {name: tensor.contiguous() for name, tensor in weights.items()}
    save_file({**tensors, _COUNTS: item_counts.contiguous()}, folder / _WEIGHTS)
    (folder / _ITEMS).write_text(json.dumps(items, ensure_ascii=False), encoding="utf-8")
    manifest = {
        "format_version": FORMAT_VERSION,
        "algorithm": "hrnn",
        "model": dataclasses.asdict(shape),
        "sessions": dataclasses.asdict(rule),
        "versions": {
            "hrnn_tuner": __version__,
            "torch": str(torch.__version__),
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
        **facts,
    }
    (folder / _MANIFEST).write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def load_artifact(folder: Path, device: str) -> Artifact:
    """Reads a model.

    Raises:
        AlgorithmError: When the folder holds no model, a damaged one, or one of another format version.
    """
    try:
        manifest = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
        if manifest["format_version"] != FORMAT_VERSION:
            raise AlgorithmError(
                f"the model in {folder} has format version {manifest['format_version']}; supported: {FORMAT_VERSION}"
            )
        items = tuple(json.loads((folder / _ITEMS).read_text(encoding="utf-8")))
        tensors = load_file(folder / _WEIGHTS, device=device)
        item_counts = tensors.pop(_COUNTS)
        model = HrnnModel(ModelShape(**manifest["model"]), torch.Generator())
        model.load_state_dict(tensors)
        rule = SessionRule(**manifest["sessions"])
    except FileNotFoundError as error:
        raise AlgorithmError(f"{folder} holds no hrnn model: {Path(str(error.filename)).name} is missing") from error
    except (ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise AlgorithmError(f"the model in {folder} is damaged: {error}") from error
    if len(items) != model.shape.items:
        raise AlgorithmError(f"the model in {folder} is damaged: {len(items)} item ids for {model.shape.items} items")
    return Artifact(model.to(device).eval(), items, item_counts, rule, manifest)
