"""Judges training jobs again, from the metrics that were stored."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from hrnn_tuner.domain.tuning_job import TuningJobSpec
from scheduler_service.early_stopping import Decision, ListedPeers, MedianActivation, Point, rule_of
from scheduler_service.replay.known import Known


class Stops:
    """The standings of training jobs at the levels of the tuning job's stopping rule, and what follows from them."""

    def __init__(self, spec: TuningJobSpec, activation: MedianActivation, known: Known) -> None:
        """Takes the settings with which the log was made."""
        self._rule = rule_of(spec, activation)
        self._objective = spec.objective
        self._known = known
        self._scores: dict[tuple[int, int], dict[int, float]] = defaultdict(dict)
        self._sums: dict[int, dict[int, tuple[float, int]]] = defaultdict(dict)
        self._judged: dict[int, Decision] = {}

    def points(self, number: int, points: Iterable[tuple[str, int, float | None]]) -> None:
        """Takes new metric points of a training job, in their order."""
        rule = self._rule
        if rule is None:
            return
        for metric, step, value in points:
            if metric != self._objective.metric_name or value is None or not math.isfinite(value):
                continue
            level = rule.level(number, step)
            if level is None or number in (scores := self._scores[rule.pool(number), level]):
                continue
            before = [own for own in self._sums[number].items() if own[0] < level]
            total, count = max(before)[1] if before and rule.averages else (0.0, 0)
            self._sums[number][level] = (total + value, count + 1)
            peers = ListedPeers(self._objective, tuple(scores.values()))
            scores[number] = (total + value) / (count + 1)
            if number in self._judged and self._judged[number].stop:
                continue  # more of its epochs arrived together with the one after which it was stopped
            until = self._known.latest(number).proposal.until_epoch
            self._judged[number] = rule.decide(Point(number, step, value, until), peers)

    def rewind(self, number: int, step: int) -> None:
        """Drops what a training job reached beyond a step."""
        self._judged.pop(number, None)
        self._sums[number] = {level: own for level, own in self._sums[number].items() if level <= step}
        for (_, level), scores in self._scores.items():
            if level > step:
                scores.pop(number, None)

    def difference(self, number: int, figures: Mapping[str, Any]) -> str | None:
        """What is different about a stop when it is decided again; None when it is the same."""
        again = self._judged.get(number)
        if again is None:
            return "its metrics give nothing to judge"
        if not again.stop:
            return f"it would go on: {again.explanation}"
        if dict(again.figures) != dict(figures):
            return f"the figures are {dict(figures)}, and {dict(again.figures)} when compared again"
        return None
