from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hrnn_tuner.domain.fair_share import READY_BUFFER_MINIMUM, Demand, shares

DEMANDS = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 12), st.integers(1, 5)), min_size=1, max_size=8).map(
    lambda rows: [Demand(f"job-{i}", "gpu", weight, active, wanted) for i, (active, wanted, weight) in enumerate(rows)]
)


@given(DEMANDS, st.integers(0, 40))
def test_nobody_gets_more_than_it_wants_and_all_together_fit_the_slots(demands: list[Demand], slots: int) -> None:
    granted = shares(demands, {"gpu": slots})
    for demand in demands:
        assert granted.get(demand.tuning_job_id, 0) <= demand.wanted
    buffer = max(READY_BUFFER_MINIMUM, slots // 4)
    assert sum(granted.values()) <= max(0, slots + buffer - sum(demand.active for demand in demands))


@given(DEMANDS, st.integers(0, 40))
def test_nothing_is_left_over_while_somebody_wants_it(demands: list[Demand], slots: int) -> None:
    granted = shares(demands, {"gpu": slots})
    free = max(0, slots + max(READY_BUFFER_MINIMUM, slots // 4) - sum(demand.active for demand in demands))
    assert sum(granted.values()) == min(free, sum(demand.wanted for demand in demands))


@given(st.lists(st.integers(5, 30), min_size=2, max_size=6), st.integers(1, 40))
def test_equal_weights_from_zero_differ_by_at_most_one_while_all_want_more(wanted: list[int], slots: int) -> None:
    demands = [Demand(f"job-{i}", "gpu", 1, 0, want) for i, want in enumerate(wanted)]
    granted = shares(demands, {"gpu": slots})
    hungry = [
        granted.get(item.tuning_job_id, 0) for item in demands if granted.get(item.tuning_job_id, 0) < item.wanted
    ]
    assert not hungry or max(hungry) - min(hungry) <= 1


@given(DEMANDS, st.integers(0, 40), st.randoms())
def test_the_order_of_the_demands_does_not_matter(demands: list[Demand], slots: int, rng: object) -> None:
    shuffled = list(demands)
    rng.shuffle(shuffled)  # type: ignore[attr-defined]
    assert shares(demands, {"gpu": slots}) == shares(shuffled, {"gpu": slots})


def test_a_double_weight_gets_twice_the_slots() -> None:
    demands = [Demand("a", "gpu", 2, 0, 20), Demand("b", "gpu", 1, 0, 20)]
    assert shares(demands, {"gpu": 7}) == {"a": 6, "b": 3}


def test_classes_do_not_share() -> None:
    demands = [Demand("a", "gpu", 1, 0, 20), Demand("b", "cpu", 1, 0, 20)]
    assert shares(demands, {"gpu": 4}) == {"a": 6, "b": READY_BUFFER_MINIMUM}
