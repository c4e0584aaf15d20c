"""Which configurations a tuning job has tried: kept, so that a proposal costs the same after ten thousand of them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Set

from hrnn_tuner.domain.tuning_job import TrainingJobDefinition
from hrnn_tuner.store import JobChange

#: Tuning jobs of which they are kept.
_KEPT = 32


class TriedConfigurations:
    """Reads the configurations of tuning jobs with one definition, each once. Thread-safe.

    A configuration never changes once its training job is committed. So what is kept is never wrong, only short of what
    was launched since, by this scheduler or another; and it can be read again at any time.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[str, tuple[int, set[Hashable]]] = OrderedDict()  # those of the numbers up to the first

    def of(self, change: JobChange, definition: TrainingJobDefinition) -> Set[Hashable]:
        """The keys of all configurations that a tuning job launched, this change's included; see `SearchSpace.key`."""
        committed = change.launched_before
        with self._lock:
            count, keys = self._known.pop(change.job.id, (0, set()))
            uncommitted: set[Hashable] = set()
            for _, trial in change.trials(after=count):
                key = definition.space.key(trial.configuration)
                (keys if trial.number <= committed else uncommitted).add(key)
            self._known[change.job.id] = (max(count, committed), keys)
            if len(self._known) > _KEPT:
                self._known.popitem(last=False)
            return keys | uncommitted if uncommitted else keys
