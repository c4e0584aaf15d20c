"""Removes what a task names: checkpoints of ended training jobs, and models that were kept long enough."""

from __future__ import annotations

import structlog

from hrnn_tuner.settings import Settings
from worker_service import artifacts, checkpoint_store
from worker_service.assignment import Work
from worker_service.locations import writable_prefixes

_log = structlog.get_logger(__name__)


class Remover:
    """Removes folders below the operator's prefixes, and only such as a scheduler has made names for."""

    def __init__(self, settings: Settings) -> None:
        """Takes the settings with the prefixes."""
        self._writable = writable_prefixes(settings)

    def done(self, work: Work) -> bool:
        """Removes what a task names; False when that failed, and the dead letters are to keep what is left over."""
        wanted = [(uri, checkpoint_store.removable(uri, self._writable)) for uri in work.remove_checkpoints]
        for root, folders in work.remove_artifacts:
            wanted += [(uri, artifacts.removable(uri, root, self._writable)) for uri in folders]
        for uri, removable in wanted:
            try:
                if not removable:
                    raise ValueError(f"is no folder of checkpoints or of a model below {list(self._writable)}")
                checkpoint_store.remove(uri)
            except Exception as error:  # noqa: BLE001 - stores raise anything
                _log.error("a folder was not removed", uri=uri, error=f"{type(error).__name__}: {error}")
                return False
        return True
