"""What warm-start parents found out, in the terms of the tuning job that learns from them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hrnn_tuner.domain.search_space import Value
from hrnn_tuner.domain.trial import Trial, TrialStatus
from hrnn_tuner.domain.tuning_job import TrainingJobDefinition
from hrnn_tuner.domain.warm_start import ParentResult, WarmStartType


@dataclass(frozen=True)
class ParentTrial(Trial):
    """A training job of a parent: its number is the parent's, its configuration has the child's names.

    Attributes:
        inside: Whether the child could propose its configuration; if not, the values are the parent's all the same.
        same_rest: Whether all other hyperparameters had the values that they have in the child.
        whole: Whether the training did not pause.
    """

    inside: bool = True
    same_rest: bool = True
    whole: bool = True


@dataclass(frozen=True)
class ParentTrials:
    """One parent.

    Attributes:
        name: The name that it had.
        type: How it relates to the child.
        trials: Its training jobs, all ended, by number.
    """

    name: str
    type: WarmStartType
    trials: tuple[ParentTrial, ...]

    @property
    def like_own(self) -> tuple[ParentTrial, ...]:
        """The trials whose results are what the child would find; none when the data may differ."""
        if self.type is not WarmStartType.IDENTICAL_DATA_AND_ALGORITHM:
            return ()
        return tuple(trial for trial in self.trials if trial.inside and trial.same_rest and trial.whole)

    @property
    def hints(self) -> tuple[ParentTrial, ...]:
        """The trials with a value that say something about the child's space, but for those like own ones."""
        results = {trial.number for trial in self.like_own}
        return tuple(
            trial
            for trial in self.trials
            if trial.inside and trial.status is TrialStatus.OBSERVED and trial.number not in results
        )


def parent_trials(
    definition: TrainingJobDefinition, warm_start_type: WarmStartType, name: str, results: Iterable[ParentResult]
) -> ParentTrials:
    """The results of a parent as trials in the space of the child.

    Args:
        definition: The child's.
        warm_start_type: How the parent relates to it.
        name: The parent's name.
        results: What it found out, by number.
    """
    space, trials = definition.space, []
    for result in results:
        given = result.hyperparameters
        configuration = {item.name: given[item.name] for item in space.active(given) if item.name in given}
        rest = {name: value for name, value in definition.resolve({}).items() if name not in configuration}
        trials.append(
            ParentTrial(
                number=result.number,
                configuration=configuration,
                status=TrialStatus.FAILED if result.value is None else TrialStatus.OBSERVED,
                value=result.value,
                inside=space.contains(configuration),
                same_rest=all(_same(given.get(name), value) for name, value in rest.items()),
                whole=result.whole,
            )
        )
    return ParentTrials(name, warm_start_type, tuple(trials))


def _same(one: Value | None, other: Value) -> bool:
    """Whether two values are the same; to Python, True equals 1."""
    return isinstance(one, bool) is isinstance(other, bool) and one == other
