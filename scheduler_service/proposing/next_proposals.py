"""What a tuning job launches next: from which definition, and with which hyperparameters."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence, Set
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from hrnn_tuner.domain.training_job import Proposal
from hrnn_tuner.domain.trial import Trial
from hrnn_tuner.domain.tuning_job import TrainingJobDefinition, TuningJob
from hrnn_tuner.store import JobChange, Transaction
from hrnn_tuner.telemetry.scheduler_metrics import PROPOSAL_DURATION
from scheduler_service.proposing.parents import read_parents
from scheduler_service.proposing.prepared import Progress, Ready
from scheduler_service.proposing.proposer import Proposer
from scheduler_service.proposing.sequences import next_definition, own_history, own_seed
from scheduler_service.proposing.tried import TriedConfigurations
from scheduler_service.strategies import History, ParentTrials, Reads, strategy_for

_Trials = Sequence[tuple[str, Trial]]


class Launch(NamedTuple):
    """One training job to launch."""

    definition: TrainingJobDefinition
    proposal: Proposal


class Launches(NamedTuple):
    """Training jobs to launch now, in order; ``exhausted`` when no search space has anything left behind them."""

    launches: tuple[Launch, ...]
    exhausted: bool


class NextProposals:
    """Finds proposals: makes them where that is quick, and otherwise takes what was made ahead."""

    def __init__(self, proposer: Proposer) -> None:
        """Takes who makes proposals that are not quick."""
        self._proposer = proposer
        self._tried = TriedConfigurations()

    def find(self, tx: Transaction, change: JobChange, count: int) -> Launches:
        """Up to ``count`` launches for the tuning job of a change, as it is with that change."""
        spec = change.job.spec
        if len(spec.definitions) > 1:
            return self._of_several(change, count)
        (definition,) = spec.definitions
        parents = partial(read_parents, tx, change.job)
        tried = partial(self._tried.of, change, definition)
        ready = self._of_one(change.job, definition, Progress.of(change.job), change.trials, count, parents, tried)
        return Launches(tuple(Launch(definition, proposal) for proposal in ready.proposals), ready.exhausted)

    def _of_several(self, change: JobChange, count: int) -> Launches:
        """One launch after the other, as each decides about the next."""
        spec = change.job.spec
        trials = change.trials()
        launches: list[Launch] = []
        closed: set[str] = set()
        while len(launches) < count:
            definition = next_definition(spec, trials, closed)
            if definition is None:
                return Launches(tuple(launches), exhausted=True)
            progress = Progress.of_history(own_history(definition, trials))
            ready = self._of_one(change.job, definition, progress, partial(tuple, trials), 1)
            if ready.proposals:
                (proposal,) = ready.proposals
                launches.append(Launch(definition, proposal))
                trials.append((definition.name, Trial(len(trials) + 1, proposal.hyperparameters)))
            elif ready.exhausted:
                closed.add(definition.name)
            else:
                break  # it is being made
        return Launches(tuple(launches), exhausted=False)

    def _of_one(
        self,
        job: TuningJob,
        definition: TrainingJobDefinition,
        progress: Progress,
        trials: Callable[[], _Trials],
        count: int,
        parents: Callable[[], tuple[ParentTrials, ...]] = tuple,
        tried: Callable[[], Set[Hashable]] | None = None,
    ) -> Ready:
        """The next proposals in one definition's sequence."""
        strategy = strategy_for(job.spec.strategy)
        quick = count
        if strategy.expensive_after is not None:
            # What parents found out takes the place of a start design.
            start = strategy.expensive_after if job.spec.warm_start is None else 0
            quick = max(0, min(count, start - progress.launched))
            if quick == 0:
                return self._proposer.take(job, definition, progress, count) or Ready(())
        levels, budget = job.spec.pauses_at, job.spec.limits.max_training_jobs
        history = History(definition.space, definition.objective, progress.launched, (), parents(), levels, budget)
        reads = strategy.reads(definition.space)
        if reads is Reads.CONFIGURATIONS and tried is not None:
            history = replace(history, keys=tried())
        elif reads is not Reads.NOTHING:
            history = own_history(definition, trials(), history.parents, levels, budget)
        first = progress.launched + 1
        with PROPOSAL_DURATION.labels(job.spec.strategy.value).time():
            found = strategy.propose(history, range(first, first + quick), own_seed(job.spec, definition))
        if strategy.expensive_after is not None:
            self._proposer.expect(job, definition, Progress(progress.launched + len(found), progress.ended))
        return Ready(tuple(found), exhausted=strategy.exhausted(history, quick, len(found)))
