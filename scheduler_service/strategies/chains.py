"""Trials that continue each other, as one trial per configuration."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import replace

from hrnn_tuner.domain.trial import Trial, TrialStatus
from scheduler_service.strategies.contract import History

#: The trials of one configuration, each continuing the one before.
Chain = tuple[Trial, ...]


def chains_of(trials: Iterable[Trial]) -> list[Chain]:
    """The chains, in the order in which they began.

    Args:
        trials: By number.
    """
    chains: list[Chain] = []
    place_of: dict[int, int] = {}
    for trial in trials:
        place = place_of.get(trial.continues)
        if place is None:
            place = len(chains)
            chains.append(())
        chains[place] = (*chains[place], trial)
        place_of[trial.number] = place
    return chains


def at_full_length(chains: Sequence[Chain], history: History) -> History:
    """The history with one trial per chain, numbered from 1: what a strategy learns from that knows no levels.

    The value of a chain is that of its highest level, carried to the highest level that any chain has reached: by the
    median, over the chains that came as far, of what was gained from one level to the next. Values of different levels
    can be compared in this way, and a promotion does not make a configuration look better than it is.
    """
    values = [_values(chain) for chain in chains]
    gains: dict[int, float] = {}
    for lower, upper in zip(history.levels, history.levels[1:], strict=False):
        found = [value[upper] - value[lower] for value in values if lower in value and upper in value]
        if not found:
            break
        gains[lower] = statistics.median(found)
    merged = tuple(_merged(number, chain, gains) for number, chain in enumerate(chains, start=1))
    return replace(history, launched=len(merged), trials=merged)


def _values(chain: Chain) -> dict[int, float]:
    """The values of a chain by the epoch at which it paused; 0 where it did not."""
    return {
        trial.until_epoch or 0: trial.value
        for trial in chain
        if trial.status is TrialStatus.OBSERVED and trial.value is not None
    }


def _merged(number: int, chain: Chain, gains: dict[int, float]) -> Trial:
    """One trial in place of a chain; one that ended by itself before its level gains nothing more."""
    found = [trial for trial in chain if trial.status is TrialStatus.OBSERVED and trial.value is not None]
    if not found:
        return Trial(number, chain[0].configuration, chain[-1].status)
    last = found[-1]
    assert last.value is not None, "it is among those with a value"
    level = last.until_epoch if last.paused else None
    gained = sum(gain for lower, gain in gains.items() if level is not None and lower >= level)
    return Trial(number, last.configuration, TrialStatus.OBSERVED, last.value + gained)
