"""Features of a data set's entities (users, items or events), and their prepared form on disk."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worker_service.hrnn.data.metadata.encoding import FeatureEncoding
from worker_service.hrnn.data.metadata.kinds import Metadata
from worker_service.hrnn.data.metadata.rows import FeatureRows
from worker_service.hrnn.data.prepared_files import Prepared

#: Changes whenever the features mean something else, so that old caches are not read.
FEATURES_VERSION = 1


@dataclass(frozen=True)
class EntityFeatures:
    """The features of a data set's entities, and how they were made of its metadata.

    Attributes:
        fingerprint: Hex digest of the content; equal for equal content, whatever the file format.
        encoding: What encodes further values in the same way; a saved model needs it.
        rows: The features, in the order of the entities.
    """

    fingerprint: str
    encoding: FeatureEncoding
    rows: FeatureRows

    @classmethod
    def of(cls, metadata: Metadata, min_count: int) -> EntityFeatures:
        """Learns an encoding from the entities' metadata and encodes them with it."""
        encoding = FeatureEncoding.fit(metadata.columns, min_count)
        rows = encoding.encode(metadata)
        digest = hashlib.sha256(f"hrnn-features-{FEATURES_VERSION}".encode())
        digest.update(json.dumps(encoding.to_json()).encode())
        for array in (rows.offsets, rows.feature, rows.weight, rows.numbers):
            digest.update(f"\0{array.dtype}{array.shape}".encode())
            digest.update(np.ascontiguousarray(array).data)
        return cls(digest.hexdigest()[:32], encoding, rows)

    def to_prepared(self) -> Prepared:
        """These features as arrays to keep."""
        rows = self.rows
        arrays: dict[str, NDArray[Any]] = {
            "offsets": rows.offsets,
            "feature": rows.feature,
            "weight": rows.weight,
            "numbers": rows.numbers,
        }
        return Prepared(self.fingerprint, arrays, facts=self.encoding.to_json())

    @classmethod
    def from_prepared(cls, prepared: Prepared) -> EntityFeatures:
        """Inverse of `to_prepared`."""
        return cls(prepared.fingerprint, FeatureEncoding.from_json(prepared.facts), FeatureRows(**prepared.arrays))
