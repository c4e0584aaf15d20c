"""A training job's state at the end of an epoch, as the scheduler knows it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Checkpoint:
    """A complete checkpoint in the object store.

    Attributes:
        step: The epoch at whose end it was taken, counting from 1.
        uri: Its folder.
        digest: ``sha256:`` and the hex digest of its content, see `worker_service.checkpoint_store`.
    """

    step: int
    uri: str
    digest: str
