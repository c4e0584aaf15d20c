"""Trials that continue each other, as one trial per configuration."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from hrnn_tuner.domain.trial import Trial, TrialStatus
from scheduler_service.strategies.contract import History

#: The trials of one configuration, each continuing the one before.
Chain = tuple[Trial, ...]


def chains_of(trials: Iterable[Trial]) -> list[Chain]:
    """The chains, in the order in which they began."""
    chains: list[Chain] = []
    place_of: dict[int, int] = {}
    for trial in sorted(trials, key=lambda trial: trial.number):
        place = place_of.get(trial.continues)
        if place is None:
            place = len(chains)
            chains.append(())
        chains[place] = (*chains[place], trial)
        place_of[trial.number] = place
    return chains


def nothing_left(history: History, wanted: int, found: int) -> bool:
    """Whether no proposal can follow any more, see `Strategy.exhausted`: what is in flight may go on."""
    pending = any(trial.status is TrialStatus.PENDING for trial in history.trials)
    return found < wanted and found == 0 and not pending


def joined(chains: Sequence[Chain], history: History) -> History:
    """The history with one trial per chain, numbered from 1: what a strategy sees that promotes nothing.

    A chain that goes on has another trial, without a result, of the same number.
    """
    trials: list[Trial] = []
    for number, chain in enumerate(chains, start=1):
        found = [trial for trial in chain if trial.status is TrialStatus.OBSERVED and trial.value is not None]
        if found:
            before = tuple((trial.until_epoch or 0, trial.value or 0.0) for trial in found[:-1])
            trials.append(replace(found[-1], number=number, continues=0, before=before))
        if not found or chain[-1].status is TrialStatus.PENDING:
            trials.append(Trial(number, chain[0].configuration, chain[-1].status))
    return replace(history, launched=len(chains), trials=tuple(trials))


def levelled(history: History) -> History:
    """A history of joined trials with one trial for each level that a value is known of, and without what all gain.

    The value at a level is carried to the highest one that any trial has reached: by the median, over the trials that
    came as far, of what was gained from one level to the next. What is left between the levels of a configuration is
    how it differs from the others in that. A history without levels is returned as it is.
    """
    if not history.levels:
        return history
    curves = [_curve(trial, history.levels) for trial in history.trials]
    gains: dict[int, float] = {}
    for lower, upper in pairwise(history.levels):
        found = [curve[upper] - curve[lower] for curve in curves if lower in curve and upper in curve]
        if not found:
            break
        gains[lower] = statistics.median(found)
    trials: list[Trial] = []
    for trial in history.trials:
        for epoch, value in trial.before:
            at_level = replace(trial, value=value, until_epoch=epoch, paused=True, before=())
            trials.append(_carried(at_level, gains))
        trials.append(_carried(replace(trial, before=()), gains))
    return replace(history, trials=tuple(trials))


def _curve(trial: Trial, levels: Sequence[int]) -> dict[int, float]:
    """The values of a joined trial by level."""
    curve = dict(trial.before)
    if trial.value is not None and trial.until_epoch in levels:
        curve[trial.until_epoch or 0] = trial.value
    return curve


def _carried(trial: Trial, gains: dict[int, float]) -> Trial:
    """A trial with what was gained after its level; one that ended by itself before it gains nothing more."""
    level = trial.until_epoch
    if not trial.paused or trial.value is None or level is None:
        return trial
    return replace(trial, value=trial.value + sum(gain for lower, gain in gains.items() if lower >= level))
