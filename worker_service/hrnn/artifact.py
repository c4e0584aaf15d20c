"""A trained network on disk, as `artifact_files` lays it out."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from hrnn_tuner.algorithms import hrnn, hrnn_coldstart, hrnn_metadata
from hrnn_tuner.algorithms.contract import AlgorithmError
from worker_service.hrnn.artifact_files import ArtifactFiles, read_files, write_files
from worker_service.hrnn.data.sessions import SessionRule
from worker_service.hrnn.data.side_information import Encodings
from worker_service.hrnn.network.model import HrnnModel, ModelShape

_ALGORITHMS = tuple(module.ALGORITHM.name for module in (hrnn, hrnn_metadata, hrnn_coldstart))
_COUNTS, _RECOMMENDABLE = "item_counts", "recommendable"


@dataclass(frozen=True)
class Artifact:
    """A model with what is needed to serve it.

    Attributes:
        model: The network, on the device that was asked for.
        items: ITEM_ID by row of the catalogue, N of them.
        item_counts: Events per item in the training data, decayed if the training was [N].
        rule: The session rule of the training data.
        manifest: The manifest as read.
        encodings: How metadata become features.
        recommendable: Which items may be recommended, bool [N]; None for all.
    """

    model: HrnnModel
    items: tuple[str, ...]
    item_counts: Tensor
    rule: SessionRule
    manifest: Mapping[str, Any]
    encodings: Encodings
    recommendable: Tensor | None


def save_artifact(
    folder: Path,
    shape: ModelShape,
    weights: Mapping[str, Tensor],
    items: tuple[str, ...],
    item_counts: Tensor,
    rule: SessionRule,
    facts: Mapping[str, Any],
    *,
    algorithm: str = hrnn.ALGORITHM.name,
    encodings: Encodings | None = None,
    recommendable: Tensor | None = None,
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
        algorithm: Name of the algorithm that trained it.
        encodings: How metadata become features; None without metadata.
        recommendable: Which items may be recommended, bool [N]; None for all.
    """
    tensors = {**weights, _COUNTS: item_counts}
    if recommendable is not None:
        tensors[_RECOMMENDABLE] = recommendable
    manifest = {"model": dataclasses.asdict(shape), "sessions": dataclasses.asdict(rule), **facts}
    features = None if encodings is None else encodings.to_json()
    write_files(folder, algorithm, ArtifactFiles(manifest, items, tensors, features))


def load_artifact(folder: Path, device: str) -> Artifact:
    """Reads a model.

    Raises:
        AlgorithmError: When the folder holds no network, a damaged one, or one of another format version.
    """
    files = read_files(folder, device, _ALGORITHMS)
    tensors, manifest = files.tensors, files.manifest
    try:
        item_counts, recommendable = tensors.pop(_COUNTS), tensors.pop(_RECOMMENDABLE, None)
        model = HrnnModel(ModelShape.from_json(manifest["model"]), torch.Generator())
        model.load_state_dict(tensors)
        rule = SessionRule(**manifest["sessions"])
        encodings = Encodings.from_json(files.features or {})
    except (ValueError, KeyError, TypeError, RuntimeError) as error:
        raise AlgorithmError(f"the model in {folder} is damaged: {error}") from error
    if len(files.items) != model.shape.items:
        raise AlgorithmError(
            f"the model in {folder} is damaged: {len(files.items)} item ids for {model.shape.items} items"
        )
    return Artifact(model.to(device).eval(), files.items, item_counts, rule, manifest, encodings, recommendable)
