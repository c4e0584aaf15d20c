from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence

from hypothesis import given
from hypothesis import strategies as st

from scheduler_service.definition_bandit import MINIMUM, Standing, choose_definition

Draw = Callable[[random.Random], float]


def share(draws: Sequence[Draw], jobs: int, seed: int) -> list[list[float]]:
    """The values of each definition's training jobs, one training job at a time."""
    rng = random.Random(seed)
    values: list[list[float]] = [[] for _ in draws]
    for number in range(1, jobs + 1):
        standings = [Standing(len(own), tuple(own)) for own in values]
        place = choose_definition(standings, jobs - number + 1, f"{seed}/{number}")
        assert place is not None
        values[place].append(draws[place](rng))
    return values


def test_every_definition_gets_its_minimum_before_any_is_preferred() -> None:
    values = share([lambda rng: 1.0, lambda rng: rng.random(), lambda rng: -1.0], 3 * MINIMUM, 1)
    assert [len(own) for own in values] == [MINIMUM] * 3


def test_few_training_jobs_are_shared_equally() -> None:
    assert [len(own) for own in share([lambda rng: 1.0, lambda rng: 0.0], 4, 1)] == [2, 2]


def test_the_clearly_better_definition_gets_most_training_jobs() -> None:
    shares = [len(share([lambda rng: rng.gauss(0, 1), lambda rng: rng.gauss(3, 1)], 40, seed)[1]) for seed in range(20)]
    assert sum(shares) / len(shares) > 0.75 * 40


def test_of_two_equal_means_the_one_with_the_better_best_values_is_preferred() -> None:
    wide = [len(share([lambda rng: rng.gauss(0, 0.2), lambda rng: rng.gauss(0, 2)], 60, seed)[1]) for seed in range(20)]
    assert sum(wide) / len(wide) > 0.6 * 60


def test_failed_training_jobs_speak_against_a_definition() -> None:
    failing = [len(share([lambda rng: float("-inf"), lambda rng: rng.gauss(0, 1)], 40, seed)[0]) for seed in range(20)]
    assert sum(failing) / len(failing) < 0.2 * 40


def test_a_definition_without_points_left_is_never_chosen_and_none_is_when_there_are_no_points() -> None:
    full, empty = Standing(5, (0.0,) * 5), Standing(9, (9.0,) * 9, room=0)
    chosen = Counter(choose_definition([full, empty], 20, str(seed)) for seed in range(50))
    assert chosen == {0: 50}
    assert choose_definition([empty, empty], 20, "1") is None


@given(
    st.lists(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=6), min_size=1, max_size=5),
    st.integers(1, 100),
    st.integers(),
    st.randoms(use_true_random=False),
)
def test_the_choice_does_not_depend_on_the_order_of_results(
    values: list[list[float]], remaining: int, seed: int, order: random.Random
) -> None:
    def standings() -> list[Standing]:
        return [Standing(len(own), tuple(order.sample(own, len(own)))) for own in values]

    first, second = (choose_definition(standings(), remaining, str(seed)) for _ in range(2))
    assert first == second
    assert first in range(len(values))
