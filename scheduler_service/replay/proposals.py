"""Makes proposals again, from what was known when they were made."""

from __future__ import annotations

from collections.abc import Sequence

from hrnn_tuner.domain.training_job import Proposal, TrainingJob
from hrnn_tuner.domain.trial import Trial
from hrnn_tuner.domain.tuning_job import TrainingJobDefinition, TuningJobSpec
from scheduler_service.proposing.sequences import next_definition, own_history, own_seed
from scheduler_service.replay.known import Known
from scheduler_service.strategies import History, ParentTrials, Reads, strategy_for


def difference(spec: TuningJobSpec, parents: tuple[ParentTrials, ...], known: Known, job: TrainingJob) -> str | None:
    """What is different when the proposal of a training job is made again; None when it is the same.

    Args:
        spec: Of the tuning job.
        parents: What its warm-start parents found out.
        known: All training jobs launched before it.
        job: As it was launched.
    """
    made = job.proposal
    if made.explanation.startswith(f"{spec.strategy.value} failed"):
        return None  # the log says that it is a random one, in place of one that could not be made
    definition = spec.definition(job.definition_name)
    if len(spec.definitions) > 1 and (problem := _other_definition(spec, known, job)) is not None:
        return problem
    # What takes long is made ahead, from a revision that the proposal tells; everything else from what was known.
    revision = int(made.figures["revision"]) if "revision" in made.figures else None
    history = _history(spec, definition, parents, known, revision)
    number = 1 + sum(name == definition.name for name, _ in known.trials())
    numbers = range(history.launched + 1, number + 1)
    found = strategy_for(spec.strategy).propose(history, numbers, own_seed(spec, definition))
    if len(found) < len(numbers):
        return "the strategy proposes nothing more"
    return _compared(made, found[-1])


def _history(
    spec: TuningJobSpec,
    definition: TrainingJobDefinition,
    parents: tuple[ParentTrials, ...],
    known: Known,
    revision: int | None,
) -> History:
    """What the strategy saw."""
    trials: Sequence[tuple[str, Trial]] = known.trials(revision)
    history = own_history(definition, trials, parents, spec.pauses_at, spec.limits.max_training_jobs)
    if strategy_for(spec.strategy).reads(definition.space) is not Reads.NOTHING:
        return history
    return History(history.space, history.objective, history.launched, (), parents, history.levels, history.budget)


def _other_definition(spec: TuningJobSpec, known: Known, job: TrainingJob) -> str | None:
    """Whether another definition would be chosen, that of a search space with nothing left apart."""
    trials, closed = known.trials(), set[str]()
    while (chosen := next_definition(spec, trials, closed)) is not None:
        if chosen.name == job.definition_name:
            return None
        history = own_history(chosen, trials, (), spec.pauses_at, spec.limits.max_training_jobs)
        number = history.launched + 1
        if strategy_for(spec.strategy).propose(history, [number], own_seed(spec, chosen)):
            return f"it is of the definition {job.definition_name!r}; {chosen.name!r} would be chosen"
        closed.add(chosen.name)
    return "no definition has anything left"


def _compared(made: Proposal, again: Proposal) -> str | None:
    """How two proposals differ."""
    for name in ("hyperparameters", "continues", "until_epoch"):
        one, other = getattr(made, name), getattr(again, name)
        one, other = (dict(one), dict(other)) if name == "hyperparameters" else (one, other)
        if one != other:
            return f"{name} are {one!r}, and {other!r} when proposed again"
    return None
