"""The files of a trained model: tensors in safetensors, everything else in JSON; no code is ever loaded from them.

* ``model.safetensors``: the weights, and ``item_counts``, the popularity that unknown users are served by.
* ``items.json``: ITEM_ID of each row of the catalogue.
* ``manifest.json``: algorithm, hyperparameters, metrics, data fingerprint, versions, and what else the model needs.
* ``features.json``: how metadata become features, for a model with metadata.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
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

FORMAT_VERSION = 1
_WEIGHTS, _ITEMS, _MANIFEST, _FEATURES = "model.safetensors", "items.json", "manifest.json", "features.json"


@dataclass(frozen=True)
class ArtifactFiles:
    """What the files say.

    Attributes:
        manifest: The manifest, without the versions that reading it depends on.
        items: ITEM_ID by row of the catalogue [N].
        tensors: By name.
        features: How metadata become features; None for a model without metadata.
    """

    manifest: Mapping[str, Any]
    items: tuple[str, ...]
    tensors: dict[str, Tensor]
    features: Mapping[str, Any] | None = None


def write_files(folder: Path, algorithm: str, files: ArtifactFiles) -> None:
    """Writes a model into an existing folder.

    Args:
        folder: The folder.
        algorithm: Name of the algorithm that trained it.
        files: What to write; the format, the algorithm and the versions come on top.
    """
    save_file({name: tensor.contiguous() for name, tensor in files.tensors.items()}, folder / _WEIGHTS)
    (folder / _ITEMS).write_text(json.dumps(files.items, ensure_ascii=False), encoding="utf-8")
    if files.features is not None:
        (folder / _FEATURES).write_text(json.dumps(files.features, ensure_ascii=False), encoding="utf-8")
    manifest = {
        "format_version": FORMAT_VERSION,
        "algorithm": algorithm,
        "versions": {
            "hrnn_tuner": __version__,
            "torch": str(torch.__version__),
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
        **files.manifest,
    }
    (folder / _MANIFEST).write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_files(folder: Path, device: str, algorithms: Sequence[str]) -> ArtifactFiles:
    """Reads a model of one of some algorithms.

    Raises:
        AlgorithmError: When the folder holds no model, a damaged one, or one of another algorithm or format version.
    """
    try:
        manifest = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
        if manifest["format_version"] != FORMAT_VERSION:
            raise AlgorithmError(
                f"the model in {folder} has format version {manifest['format_version']}; supported: {FORMAT_VERSION}"
            )
        if manifest["algorithm"] not in algorithms:
            raise AlgorithmError(
                f"the model in {folder} is of algorithm {manifest['algorithm']!r}; supported here: "
                f"{', '.join(algorithms)}"
            )
        items = tuple(json.loads((folder / _ITEMS).read_text(encoding="utf-8")))
        tensors = load_file(folder / _WEIGHTS, device=device)
        described = (folder / _FEATURES).exists()
        features = json.loads((folder / _FEATURES).read_text(encoding="utf-8")) if described else None
    except FileNotFoundError as error:
        missing = Path(str(error.filename)).name
        raise AlgorithmError(f"{folder} holds no {algorithms[0]} model: {missing} is missing") from error
    except (ValueError, KeyError, TypeError, SafetensorError) as error:
        raise AlgorithmError(f"the model in {folder} is damaged: {error}") from error
    return ArtifactFiles(manifest, items, tensors, features)
