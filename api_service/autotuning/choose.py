"""Autotune: what the service chooses for the whole tuning job. Ranges are chosen before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import protovalidate

from api_service.from_proto import WITH_LEVELS, domain_ranges
from hrnn_tuner.algorithms import Algorithm, AlgorithmRegistry
from hrnn_tuner.domain.autotune import AutotuneChoice
from hrnn_tuner.domain.conditions import condition_faults
from hrnn_tuner.domain.early_stopping import EPOCH_HYPERPARAMETERS
from hrnn_tuner.domain.search_space import CategoricalRange, ParameterRange, SearchSpace
from hrnn_tuner.settings import Settings
from hrnn_tuner.v1 import tuning_job_pb2
from hrnn_tuner.wire_values import from_wire

#: Training jobs per range: the rule of thumb for the data that a model of so many inputs needs (Loeppky, Sacks, Welch
#: 2009, "Choosing the sample size of a computer experiment").
JOBS_PER_RANGE = 10
LEAST_JOBS, MOST_JOBS = 20, 100
#: What follows from results follows from those before a launch: there are at least so many rounds of parallel training
#: jobs then.
ROUNDS = 5

_P = tuning_job_pb2
#: Strategies that look at results: the others could launch everything at once.
_FOLLOWS_RESULTS = frozenset({_P.STRATEGY_BAYESIAN, _P.STRATEGY_ASHA, _P.STRATEGY_BAYESIAN_ASHA})
#: Those in which training jobs are continued by others, which count too.
_PROMOTES = _FOLLOWS_RESULTS - {_P.STRATEGY_BAYESIAN}


@dataclass(frozen=True)
class _Space:
    """The search spaces of all definitions as far as the choices depend on them.

    Attributes:
        definitions: The ranges of each.
        sound: Whether every range keeps the rules of its message: no grid can be made of one that does not.
    """

    definitions: tuple[tuple[ParameterRange, ...], ...]
    sound: bool

    @property
    def count(self) -> int:
        """Number of ranges."""
        return sum(map(len, self.definitions))

    @property
    def points(self) -> int | None:
        """Number of points; None when infinite, or when something is wrong with the ranges, which the checks say."""
        return self._points(grid=False)

    @property
    def grid_points(self) -> int | None:
        """Number of points that a grid takes of them; None as above."""
        return self._points(grid=True)

    @property
    def categorical(self) -> bool:
        """Whether a grid takes every value."""
        return all(isinstance(item, CategoricalRange) for ranges in self.definitions for item in ranges)

    def _points(self, *, grid: bool) -> int | None:
        if not self.sound:
            return None
        total = 0
        for ranges in self.definitions:
            if not ranges or condition_faults(ranges):
                return None
            space = SearchSpace(ranges)
            points = space.grid.cardinality if grid else space.cardinality
            if points is None:
                return None
            total += points
        return total


@dataclass
class _Choosing:
    """One request that is being completed."""

    spec: tuning_job_pb2.TuningJobSpec
    settings: Settings
    space: _Space
    parents_launched: int
    choices: list[AutotuneChoice] = field(default_factory=list)

    def chose(self, name: str, value: object, reason: str) -> None:
        """Writes a choice down."""
        self.choices.append(AutotuneChoice(name, str(value), reason))


def choose(
    spec: tuning_job_pb2.TuningJobSpec,
    algorithms: AlgorithmRegistry,
    settings: Settings,
    *,
    parents_launched: int = 0,
) -> list[AutotuneChoice]:
    """Fills in what a tuning job leaves out, in place; what is given stays.

    Args:
        spec: The tuning job with its ranges; it need not be well-formed.
        algorithms: Those of this installation.
        settings: The operator's limits.
        parents_launched: Training jobs of the warm-start parents, which count against the operator's limit.
    """
    if not spec.training_job_definitions:
        return []
    first = spec.training_job_definitions[0]
    given = [item.parameter_ranges for item in spec.training_job_definitions]
    sound = not any(protovalidate.collect_violations(ranges) for ranges in given)
    space = _Space(tuple(map(domain_ranges, given)), sound)
    choosing = _Choosing(spec, settings, space, parents_launched)
    steps: tuple[Callable[[_Choosing], None], ...] = (_strategy, _jobs, _parallel)
    for step in steps:
        step(choosing)
    _early_stopping(choosing, algorithms.get(first.algorithm), first)
    _completion(choosing)
    _retries(choosing)
    return choosing.choices


def _usual_jobs(choosing: _Choosing) -> int:
    """The number of training jobs that suits the number of ranges and what is allowed."""
    usual = min(max(JOBS_PER_RANGE * choosing.space.count, LEAST_JOBS), MOST_JOBS)
    if choosing.spec.strategy in _PROMOTES:
        usual += -(-usual // 2)  # a third go on, and of these a third: a half in all, at most
    quota = choosing.settings.max_training_jobs_limit - choosing.parents_launched
    return max(1, min(usual, quota, choosing.space.points or usual))


def _strategy(choosing: _Choosing) -> None:
    """A grid where every combination can be afforded, random draws where no result can be learnt from, else a model."""
    spec, space = choosing.spec, choosing.space
    if spec.strategy != _P.STRATEGY_UNSPECIFIED:
        return
    limits = spec.resource_limits
    jobs = limits.max_number_of_training_jobs if limits.HasField("max_number_of_training_jobs") else None
    warm = spec.HasField("warm_start_config")
    if space.categorical and not warm and space.points == (jobs or _usual_jobs(choosing)):
        spec.strategy = _P.STRATEGY_GRID
        choosing.chose("strategy", "STRATEGY_GRID", f"all {space.points} combinations can be tried")
    elif jobs is not None and jobs > choosing.settings.max_training_jobs_limit:
        spec.strategy = _P.STRATEGY_RANDOM
        choosing.chose("strategy", "STRATEGY_RANDOM", f"no other strategy takes {jobs} training jobs")
    elif jobs is not None and 0 < jobs <= limits.max_parallel_training_jobs and not warm:
        spec.strategy = _P.STRATEGY_RANDOM
        choosing.chose("strategy", "STRATEGY_RANDOM", "all training jobs start at once: there is nothing to learn from")
    else:
        spec.strategy = _P.STRATEGY_BAYESIAN
        choosing.chose("strategy", "STRATEGY_BAYESIAN", "a model of the results needs the fewest training jobs")


def _jobs(choosing: _Choosing) -> None:
    """As many training jobs as the number of ranges asks for; a grid infers it."""
    limits = choosing.spec.resource_limits
    if limits.HasField("max_number_of_training_jobs") or choosing.spec.strategy == _P.STRATEGY_GRID:
        return
    limits.max_number_of_training_jobs = _usual_jobs(choosing)
    count, points = choosing.space.count, choosing.space.points
    reason = f"{JOBS_PER_RANGE} for each of {count} ranges, between {LEAST_JOBS} and {MOST_JOBS}"
    if points is not None and points <= limits.max_number_of_training_jobs:
        reason = f"the search space has {points} points"
    elif choosing.spec.strategy in _PROMOTES:
        reason += ", and a half more for those that go on with others"
    choosing.chose("resource_limits.max_number_of_training_jobs", limits.max_number_of_training_jobs, reason)


def _parallel(choosing: _Choosing) -> None:
    """As many in parallel as the operator allows, but what follows from results needs rounds of them."""
    spec = choosing.spec
    if spec.resource_limits.max_parallel_training_jobs != 0:
        return
    limits, most = spec.resource_limits, choosing.settings.max_parallel_limit
    jobs = limits.max_number_of_training_jobs or choosing.space.grid_points or 1
    if spec.strategy in _FOLLOWS_RESULTS:
        chosen, reason = -(-jobs // ROUNDS), f"leaves {ROUNDS} rounds of results to follow from"
    else:
        chosen, reason = jobs, "the strategy proposes the same whatever the results are"
    if chosen > most:
        chosen, reason = most, "the operator allows no more"
    limits.max_parallel_training_jobs = max(1, chosen)
    choosing.chose("resource_limits.max_parallel_training_jobs", limits.max_parallel_training_jobs, reason)


def _early_stopping(
    choosing: _Choosing, algorithm: Algorithm | None, definition: tuning_job_pb2.TrainingJobDefinition
) -> None:
    """On where the objective is reported over several epochs; strategies with levels stop training jobs themselves."""
    spec = choosing.spec
    if spec.training_job_early_stopping_type != _P.TRAINING_JOB_EARLY_STOPPING_TYPE_UNSPECIFIED or algorithm is None:
        return
    if spec.strategy in WITH_LEVELS:
        chosen = _P.TRAINING_JOB_EARLY_STOPPING_TYPE_OFF
        reason = f"{_P.Strategy.Name(spec.strategy)} stops training jobs itself"
    elif len(spec.training_job_definitions) > 1:
        chosen, reason = _P.TRAINING_JOB_EARLY_STOPPING_TYPE_OFF, "it is not available with several definitions"
    elif _several_epochs(algorithm, definition):
        chosen, reason = _P.TRAINING_JOB_EARLY_STOPPING_TYPE_AUTO, "the objective is reported every epoch"
    else:
        chosen, reason = _P.TRAINING_JOB_EARLY_STOPPING_TYPE_OFF, "training jobs have one epoch only"
    spec.training_job_early_stopping_type = chosen
    choosing.chose("training_job_early_stopping_type", _P.TrainingJobEarlyStoppingType.Name(chosen), reason)


def _several_epochs(algorithm: Algorithm, definition: tuning_job_pb2.TrainingJobDefinition) -> bool:
    """Whether training jobs have epochs before their last one."""
    for name in EPOCH_HYPERPARAMETERS:
        declared = algorithm.hyperparameter(name)
        if declared is not None:
            static = definition.static_hyperparameters
            epochs = from_wire(static[name]) if name in static else declared.default
            return isinstance(epochs, int) and epochs > 1
    return False


def _completion(choosing: _Choosing) -> None:
    """An end at convergence, except for a grid, of which every point is asked for."""
    spec = choosing.spec
    if spec.HasField("completion_criteria") or spec.strategy == _P.STRATEGY_GRID:
        return
    spec.completion_criteria.convergence_detected.complete_on_convergence = True
    reason = "training jobs that cannot be expected to improve on the best are saved"
    choosing.chose("completion_criteria.convergence_detected.complete_on_convergence", "true", reason)


def _retries(choosing: _Choosing) -> None:
    """The operator's number of attempts, and no more than one may ask for."""
    retries = min(choosing.settings.max_attempts - 1, choosing.settings.max_retries)
    for index, definition in enumerate(choosing.spec.training_job_definitions):
        if not definition.HasField("retry_strategy") and retries > 0:
            definition.retry_strategy.maximum_retry_attempts = retries
            place = f"training_job_definitions[{index}].retry_strategy.maximum_retry_attempts"
            choosing.chose(place, retries, "the operator's default")
