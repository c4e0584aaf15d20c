"""Reads what an explanation needs, and keeps insights until there are new results. Blocking."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from api_service.explaining.insight import Insight, insight_of
from api_service.tuning_jobs import find
from hrnn_tuner.domain.training_job import TrainingJob
from hrnn_tuner.domain.trial import Trial
from hrnn_tuner.domain.tuning_job import TuningJob
from hrnn_tuner.store import Decision, Page, Store, TrainingJobQuery
from hrnn_tuner.store.paging import Cursor

#: Tuning jobs whose insights are kept.
_KEPT = 64

_Trials = Sequence[tuple[str, Trial]]


@dataclass(frozen=True)
class Explanation:
    """A page of an explanation.

    Attributes:
        job: The tuning job.
        insights: One per definition, in order; empty on later pages.
        decisions: Those about the tuning job itself; empty on later pages.
        page: Its training jobs, by number.
        of_training_jobs: What was decided about them after they were proposed, by number.
    """

    job: TuningJob
    insights: tuple[Insight, ...]
    decisions: tuple[Decision, ...]
    page: Page[TrainingJob]
    of_training_jobs: dict[int, list[Decision]]


class Explanations:
    """The use case. Thread-safe: insights are worked out one tuning job at a time, which bounds time and memory."""

    def __init__(self, store: Store) -> None:
        """Takes the database."""
        self._store = store
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[_Trials, tuple[Insight, ...]]] = OrderedDict()

    def explain(self, project: str, name: str, *, after: Cursor | None, limit: int) -> Explanation:
        """A page of the explanation of a tuning job of a project.

        Raises:
            NotFound: When there is none of this name.
        """
        with self._store.read() as tx:
            job = find(tx, project, name)
            page = tx.training_jobs.page(TrainingJobQuery(job.id), after=after, limit=limit)
            shown = [training_job.number for training_job in page.rows]
            decisions = tx.events.decisions(job.id, shown if after is not None else [0, *shown])
            trials = tx.training_jobs.trials(job.id) if after is None else []
        later: dict[int, list[Decision]] = {}
        for decision in decisions:
            if decision.number:
                later.setdefault(decision.number, []).append(decision)
        if after is not None:
            return Explanation(job, (), (), page, later)
        own = tuple(decision for decision in decisions if decision.number == 0)
        return Explanation(job, self._insights(job, trials), own, page, later)

    def _insights(self, job: TuningJob, trials: _Trials) -> tuple[Insight, ...]:
        """One per definition; the same trials give the same ones, so they are made once."""
        with self._lock:
            kept = self._kept.get(job.id)
            if kept is None or kept[0] != trials:
                found = tuple(
                    insight_of(
                        definition.space,
                        definition.objective,
                        [trial for name, trial in trials if name == definition.name],
                        job.spec.pauses_at,
                    )
                    for definition in job.spec.definitions
                )
                kept = self._kept[job.id] = (trials, found)
            self._kept.move_to_end(job.id)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
            return kept[1]
