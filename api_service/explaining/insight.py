"""What the results of one search space teach: which hyperparameters matter, and where the best is to be expected."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from api_service.explaining.encoding import Encoding, Floats
from api_service.explaining.surrogate import Surrogate
from hrnn_tuner.domain.objective import Objective
from hrnn_tuner.domain.search_space import CategoricalRange, SearchSpace, Value
from hrnn_tuner.domain.trial import Trial, TrialStatus

#: Fewer results teach nothing that numbers should be put to.
MIN_RESULTS = 5
#: Most results that the model is fitted to: the best half of them, and the others evenly over the time of the search.
_MODEL_RESULTS = 200
#: How many interquartile ranges below the lower quartile a value still counts as it is: Tukey's outer fence. A loss
#: that diverged to 1e9 says no more than that it diverged.
_FENCE = 3.0
_LARGEST = 1e100
_SEED = 20_200_229
#: Points of each of the two samples from which effects are estimated.
_SAMPLE = 1_024
_CANDIDATES = 2_000
_CENTRES, _NEIGHBOURS = 10, 50
_STEPS = (0.3, 0.1, 0.03, 0.01, 0.003)


@dataclass(frozen=True)
class Importance:
    """The shares of the predicted objective's variance over the space that go back to one hyperparameter.

    Attributes:
        name: The hyperparameter.
        main: By itself, in [0, 1].
        total: Together with what it does in interplay with others, in [0, 1].
    """

    name: str
    main: float
    total: float


@dataclass(frozen=True)
class PredictedBest:
    """The configuration of which the most is expected.

    Attributes:
        configuration: Its hyperparameters.
        mean: Predicted objective value.
        deviation: One standard deviation of what is not known about it.
        number: The trial that has it; 0 for none.
    """

    configuration: Mapping[str, Value]
    mean: float
    deviation: float
    number: int


@dataclass(frozen=True)
class Insight:
    """What was learnt.

    Attributes:
        observed: Trials with a finite value.
        failed: Ended trials without one.
        pending: Trials that have not ended.
        importances: The most important hyperparameter first; empty without enough results.
        best: None without enough results.
        explained_variance: See `Surrogate.explained_variance`; None without a model.
        note: Why there are no numbers, or why not to trust them; empty when neither is so.
    """

    observed: int
    failed: int
    pending: int
    importances: tuple[Importance, ...] = field(default=())
    best: PredictedBest | None = None
    explained_variance: float | None = None
    note: str = ""


def insight_of(
    space: SearchSpace, objective: Objective, trials: Sequence[Trial], levels: Sequence[int] = ()
) -> Insight:
    """Learns from trials.

    Args:
        space: The search space.
        objective: Metric and direction.
        trials: By number; their configurations lie in the space.
        levels: The epochs at which trials pause, ascending; empty when each trains to its end.
    """
    ended = [trial for trial in trials if trial.status is not TrialStatus.PENDING]
    observed = sum(_value(trial) is not None for trial in ended)
    failed, pending = len(ended) - observed, len(trials) - len(ended)
    ended, of_lengths = _comparable(ended, levels)
    observed_comparable = sum(_value(trial) is not None for trial in ended)
    if not space.ranges:
        return Insight(observed, failed, pending, note="no hyperparameter is tuned")
    if observed_comparable < MIN_RESULTS:
        given = str(observed)
        if observed_comparable < observed:
            given = f"{observed_comparable} of different hyperparameters"
        needed = f"at least {MIN_RESULTS} training jobs with an objective value are needed; there are {given}"
        return Insight(observed, failed, pending, note=needed)
    sign = objective.sign
    ended, values = _chosen(ended, _values(ended, sign))
    centre, scale = float(values.mean()), float(values.std())
    if scale <= 1e-12 * max(abs(centre), 1e-300):
        return Insight(observed, failed, pending, note="all results are the same: nothing that is tuned matters so far")
    encoding = Encoding(space)
    units = encoding.units([trial.configuration for trial in ended])
    model = Surrogate(encoding.rows(units), encoding.axes, (values - centre) / scale)
    place = _searched(encoding, space, model, units)
    mean, deviation = float(model.mean(encoding.rows(place))[0]), float(model.deviation(encoding.rows(place))[0])
    configuration = space.at(place[0].tolist())
    tried = [*(trial for trial in trials if trial.status is TrialStatus.PENDING), *ended]
    numbers = {space.key(trial.configuration): trial.number for trial in reversed(tried)}
    best = PredictedBest(
        configuration,
        sign * (centre + scale * mean),
        scale * deviation,
        numbers.get(space.key(configuration), 0),
    )
    explained = model.explained_variance
    note = "; ".join(filter(None, (_note(explained), of_lengths)))
    return Insight(observed, failed, pending, importances(encoding, space, model), best, explained, note)


def importances(encoding: Encoding, space: SearchSpace, model: Surrogate) -> tuple[Importance, ...]:
    """How much each hyperparameter matters: the functional analysis of variance of the model's mean.

    Hutter, Hoos and Leyton-Brown, An efficient approach for assessing hyperparameter importance (ICML 2014), with a
    Gaussian process in place of their random forest. The shares are Sobol's indices, estimated as by Saltelli et al.,
    Variance based sensitivity analysis of model output (2010), table 2: (b) for the main effect and Jansen's (f) for
    the total one. A range that does not apply everywhere counts where it applies.

    Returns:
        By total effect, then by name.
    """
    axes = len(space.ranges)
    sample = _stratified(2 * axes, np.random.Generator(np.random.PCG64(_SEED)))
    first, second = encoding.rounded(sample[:, :axes]), encoding.rounded(sample[:, axes:])
    at_first, at_second = model.mean(encoding.rows(first)), model.mean(encoding.rows(second))
    both = np.concatenate((at_first, at_second))
    centre, variance = float(both.mean()), float(both.var())
    found = []
    for axis, item in enumerate(space.ranges):
        mixed = first.copy()
        mixed[:, axis] = second[:, axis]
        at_mixed = model.mean(encoding.rows(mixed))
        main = float(((at_second - centre) * (at_mixed - at_first)).mean())
        total = float(np.square(at_first - at_mixed).mean()) / 2.0
        found.append(Importance(item.name, _share(main, variance), _share(max(total, main), variance)))
    return tuple(sorted(found, key=lambda entry: (-entry.total, entry.name)))


def _stratified(columns: int, rng: np.random.Generator) -> Floats:
    """A Latin hypercube, shape (sample, columns)."""
    strata = np.stack([rng.permutation(_SAMPLE) for _ in range(columns)], axis=1)
    return (strata + rng.random(strata.shape)) / _SAMPLE


def _share(part: float, variance: float) -> float:
    """A part of a variance, in [0, 1]; estimates of small parts can come out negative."""
    return min(max(part / variance, 0.0), 1.0) if variance > 1e-12 else 0.0


def _searched(encoding: Encoding, space: SearchSpace, model: Surrogate, tried: Floats) -> Floats:
    """The point with the largest predicted mean, as far as a search can tell; shape (1, ranges)."""
    rng = np.random.Generator(np.random.PCG64(_SEED))
    axes = len(space.ranges)
    total = space.cardinality
    if total is not None and total <= _CANDIDATES:
        points = encoding.units([space.grid_point(index) for index in range(total)])
        return _best(points, encoding, model, 1)
    points = np.concatenate((tried, encoding.rounded(rng.random((_CANDIDATES, axes)))))
    category = np.array([isinstance(item, CategoricalRange) for item in space.ranges], dtype=np.bool_)
    for step in _STEPS:
        centres = _best(points, encoding, model, _CENTRES)
        near = np.repeat(centres, _NEIGHBOURS, axis=0)
        moved = np.clip(near + step * rng.standard_normal(near.shape), 0.0, 1.0)
        moved = np.where(category, rng.random(near.shape), moved)
        changed = rng.random(near.shape) < max(0.4, 1.0 / axes)
        points = np.concatenate((centres, encoding.rounded(np.where(changed, moved, near))))
    return _best(points, encoding, model, 1)


def _best(points: Floats, encoding: Encoding, model: Surrogate, count: int) -> Floats:
    """Those with the largest predicted means, the best first."""
    order = np.argsort(-model.mean(encoding.rows(points)), kind="stable")
    return points[order[:count]]


def _comparable(ended: Sequence[Trial], levels: Sequence[int]) -> tuple[list[Trial], str]:
    """Ended trials with one value for each configuration, of whole trainings only if there are enough of them.

    Returns:
        Them, and what to say about those left out.
    """
    continued = {trial.continues for trial in ended if trial.continues and _value(trial) is not None}
    last = [trial for trial in ended if trial.number not in continued]
    whole = [trial for trial in last if not trial.may_go_on(levels)]
    paused = len(last) - len(whole)
    if not paused:
        return last, ""
    if sum(_value(trial) is not None for trial in whole) >= MIN_RESULTS:
        return whole, f"hyperparameters of which the training paused are left out ({paused})"
    return last, f"most values are of trainings that paused ({paused}): whole ones may differ in what matters"


def _value(trial: Trial) -> float | None:
    """The finite value of a trial that has one."""
    if trial.status is not TrialStatus.OBSERVED or trial.value is None or not math.isfinite(trial.value):
        return None
    return min(max(trial.value, -_LARGEST), _LARGEST)


def _values(ended: Sequence[Trial], sign: float) -> Floats:
    """Values, larger is better; at the fence are those far below the others, as bad as the worst those of failures."""
    known = [_value(trial) for trial in ended]
    found = np.array([math.nan if value is None else sign * value for value in known], dtype=np.float64)
    lower, upper = np.nanquantile(found, [0.25, 0.75])
    if upper > lower:
        found = np.maximum(found, lower - _FENCE * (upper - lower))  # NaN stays
    return np.where(np.isnan(found), np.nanmin(found), found)


def _chosen(ended: Sequence[Trial], values: Floats) -> tuple[list[Trial], Floats]:
    """The results that the model is fitted to, by number."""
    if len(ended) <= _MODEL_RESULTS:
        return list(ended), values
    order = np.argsort(-values, kind="stable")
    half = _MODEL_RESULTS // 2
    rest = np.sort(order[half:])
    even = rest[np.linspace(0, len(rest) - 1, _MODEL_RESULTS - half).astype(np.intp)]
    used = np.sort(np.concatenate((order[:half], even)))
    return [ended[place] for place in used], values[used]


def _note(explained: float) -> str:
    """What to think of a model that explains a share of the variance."""
    if explained <= 0.0:
        return "the model does not predict results better than their mean does: do not trust these numbers yet"
    return ""
