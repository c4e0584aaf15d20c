"""A trained network, ready to serve many users."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from hrnn_tuner.algorithms.contract import DataError
from worker_service.hrnn.artifact import load_artifact
from worker_service.hrnn.data.metadata.encoding import FeatureEncoding
from worker_service.hrnn.data.metadata.rows import FeatureRows

#: Metadata of a user, or the context of an event or a request: text by column, as it would stand in a CSV file.
Texts = Mapping[str, str]


class ServedModel:
    """What all users of a model share; nothing of it changes.

    Attributes:
        artifact: The model as loaded.
        items: The items as the network sees them.
        numbers: Catalogue number by ITEM_ID.

    Args:
        folder: Local directory of the artifact.
        device: A torch device string.

    Raises:
        AlgorithmError: When there is no usable model.
    """

    def __init__(self, folder: Path, device: str) -> None:
        self.artifact = load_artifact(folder, device)
        self.numbers = {item: row + 1 for row, item in enumerate(self.artifact.items)}
        with torch.no_grad():
            self.items = self.artifact.model.items()

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return self.artifact.model.table.device

    def encode_user(self, texts: Texts | None) -> FeatureRows | None:
        """Features of a user [1]; None for None.

        Raises:
            DataError: For columns that the model was not trained with, and texts that do not fit theirs.
        """
        return None if texts is None else _encode(self.artifact.encodings.users, [texts], "metadata of users")

    def encode_context(self, texts: Sequence[Texts] | None) -> FeatureRows | None:
        """Features of the context of events or requests; None for None.

        Raises:
            DataError: For columns that the model was not trained with, and texts that do not fit theirs.
        """
        return None if texts is None else _encode(self.artifact.encodings.context, texts, "context")


def _encode(encoding: FeatureEncoding | None, texts: Sequence[Texts], what: str) -> FeatureRows:
    """Features by an encoding that the model must have."""
    if encoding is None:
        raise DataError(f"the model was trained without {what}")
    return encoding.encode_values(texts)
