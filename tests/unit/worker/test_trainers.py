"""Trainers are imported and warmed up once, all before the first training job or each when it is needed."""

from __future__ import annotations

import pytest

from hrnn_tuner.algorithms.registry import AlgorithmRegistry
from hrnn_tuner.algorithms.specification import Algorithm
from worker_service.trainers import Trainers

warmed: list[tuple[str, str]] = []


class First:
    def warm_up(self, device: str) -> None:
        warmed.append(("first", device))


class Second:
    def warm_up(self, device: str) -> None:
        warmed.append(("second", device))


class Broken:
    def warm_up(self, device: str) -> None:
        raise KeyError(device)


def algorithm(name: str, trainer: type) -> Algorithm:
    return Algorithm(name, "", (), (), (), f"{__name__}:{trainer.__name__}")


@pytest.fixture
def trainers() -> Trainers:
    warmed.clear()
    return Trainers(AlgorithmRegistry([algorithm("first", First), algorithm("second", Second)]), "cpu")


def test_each_is_warmed_up_when_it_is_first_asked_for(trainers: Trainers) -> None:
    assert list(trainers) == ["first", "second"]
    assert warmed == []
    second = trainers["second"]
    assert trainers["second"] is second
    assert warmed == [("second", "cpu")]


def test_all_are_warmed_up_at_once_and_never_again(trainers: Trainers) -> None:
    trainers.warm_up()
    assert sorted(warmed) == [("first", "cpu"), ("second", "cpu")]
    assert trainers["first"] is trainers["first"]
    assert len(warmed) == 2


def test_one_that_is_not_installed_is_not_there_and_nothing_is_imported(trainers: Trainers) -> None:
    assert "third" not in trainers
    assert "first" in trainers
    assert warmed == []


def test_one_that_cannot_warm_up_is_tried_again() -> None:
    broken = Trainers(AlgorithmRegistry([algorithm("broken", Broken)]), "cpu")
    for _ in range(2):
        assert "broken" in broken
        with pytest.raises(KeyError, match="cpu"):
            broken["broken"]
