"""What is known beside who used what and when: metadata of items and users, context of events, and what is new."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrnn_tuner.domain.data_channel import DataChannel
from worker_service.hrnn.data.metadata.datasets import ITEMS, USERS
from worker_service.hrnn.data.metadata.encoding import FeatureEncoding
from worker_service.hrnn.data.metadata.features import EntityFeatures
from worker_service.hrnn.data.metadata.loading import load_context_features, load_entity_features
from worker_service.hrnn.data.preparation import Interactions


@dataclass(frozen=True)
class Encodings:
    """How metadata become features; each is None where there are no metadata.

    Attributes:
        items: Of items.
        users: Of users.
        context: Of events and requests.
    """

    items: FeatureEncoding | None = None
    users: FeatureEncoding | None = None
    context: FeatureEncoding | None = None

    def to_json(self) -> dict[str, Any]:
        """These encodings as JSON values."""
        parts = {"items": self.items, "users": self.users, "context": self.context}
        return {name: part.to_json() for name, part in parts.items() if part is not None}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Encodings:
        """Inverse of `to_json`.

        Raises:
            KeyError, TypeError, ValueError: When the document is damaged.
        """
        return cls(**{name: FeatureEncoding.from_json(part) for name, part in document.items()})


@dataclass(frozen=True)
class SideInformation:
    """The side information about some interactions.

    Attributes:
        items: Features by item number; None where nothing is known, as for the others.
        users: Features by user number.
        context: Features by row of the interactions.
        cold: Which items are new, by item number [I]; None where no difference is made.
        identity_dropout: Share of the items that are scored by their metadata alone in each step of training.
    """

    items: EntityFeatures | None
    users: EntityFeatures | None
    context: EntityFeatures | None
    cold: NDArray[np.bool_] | None = None
    identity_dropout: float = 0.0

    @property
    def encodings(self) -> Encodings:
        """How the features were made."""
        parts = (self.items, self.users, self.context)
        return Encodings(*(None if part is None else part.encoding for part in parts))

    @property
    def fingerprint(self) -> str:
        """Hex digest of all of it."""
        parts = (self.items, self.users, self.context)
        text = " ".join("none" if part is None else part.fingerprint for part in parts)
        digest = hashlib.sha256(f"{text} {self.identity_dropout}".encode())
        if self.cold is not None:
            digest.update(self.cold.tobytes())
        return digest.hexdigest()[:32]


def load_side_information(
    channels: Mapping[str, DataChannel], interactions: Interactions, cache_dir: Path | None
) -> SideInformation:
    """The metadata that the channels have.

    Args:
        channels: The data by channel name, ``interactions`` among them.
        interactions: What that channel has, with the items that the channel ``items`` lists.
        cache_dir: Where prepared data are kept; None keeps them in this process only.

    Raises:
        DataError: When data are missing or malformed.
    """
    items, users = channels.get(ITEMS.name), channels.get(USERS.name)
    context = load_context_features(channels["interactions"], cache_dir)
    return SideInformation(
        items=None if items is None else load_entity_features(items, ITEMS, interactions.items, cache_dir),
        users=None if users is None else load_entity_features(users, USERS, interactions.users, cache_dir),
        context=context if context.encoding.kinds else None,
    )
