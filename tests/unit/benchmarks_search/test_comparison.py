from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.benchmarks.search.comparison import (
    holm,
    holm_wilcoxon,
    mean_ranks,
    normalised_regret,
    regret_by_family,
    regret_intervals,
)

RNG = np.random.default_rng(0)
#: Ten functions of very different scale, three methods, seven seeds; the second method is better, the third is worse.
LOSSES = [10.0**scale * (RNG.random((3, 7)) + 0.5) * [[1.0], [0.2], [5.0]] for scale in range(10)]
OPTIMA = [0.0] * 10


@given(
    losses=st.lists(st.lists(st.floats(0.001, 1e6), min_size=4, max_size=4), min_size=2, max_size=5),
    below=st.floats(0.001, 1e3),
    shift=st.floats(-1e3, 1e3),
)
def test_the_regret_of_the_reference_is_one_whatever_the_scale(
    losses: list[list[float]], below: float, shift: float
) -> None:
    values = np.array(losses) + shift
    optimum = float(values.min()) - below
    assert normalised_regret(values, optimum, reference=1)[1] == pytest.approx(1.0)


def test_regret_of_random_is_one_with_an_interval_of_no_width_and_the_others_are_shares_of_it() -> None:
    reference, better, worse = regret_intervals(LOSSES, OPTIMA, reference=0)
    assert (reference.mean, reference.low, reference.high) == (1.0, 1.0, 1.0)
    assert better.low < better.mean < better.high < 0.4
    assert 3.0 < worse.low < worse.mean < worse.high


def test_a_function_that_the_reference_always_solves_tells_nothing() -> None:
    solved = np.array([[2.0, 2.0], [3.0, 4.0], [2.0, 2.5]])
    assert np.isnan(normalised_regret(solved, 2.0, reference=0)).all()
    with_it = regret_intervals([*LOSSES, solved[:, [0, 1, 0, 1, 0, 1, 0]]], [*OPTIMA, 2.0], reference=0)
    assert with_it[1].mean == pytest.approx(regret_intervals(LOSSES, OPTIMA, reference=0)[1].mean)


def test_ranks_share_ties_and_do_not_know_scale() -> None:
    assert mean_ranks(LOSSES)[[1, 0, 2]].tolist() == sorted(mean_ranks(LOSSES))
    tied = np.array([[1.0, 1.0], [1.0, 2.0], [3.0, 0.0]])
    assert mean_ranks([tied, tied * 1e9]).tolist() == [1.75, 2.25, 2.0]


def test_holm_multiplies_the_smallest_by_the_number_of_tests_and_never_goes_down() -> None:
    assert holm(np.array([0.04, 0.01, 0.03])).tolist() == pytest.approx([0.06, 0.03, 0.06])
    assert holm(np.array([0.9, 0.8])).tolist() == [1.0, 1.0]


def test_a_clear_difference_is_told_from_chance_and_equal_methods_are_not() -> None:
    with_copy = [np.vstack([own, own[:1]]) for own in LOSSES]
    p = holm_wilcoxon(with_copy, OPTIMA, reference=0, champion=0, others=[1, 2, 3])
    assert np.isnan(p[0])
    assert (p[[1, 2]] < 0.01).all()
    assert p[3] == 1.0


def test_only_the_tests_that_are_made_are_corrected_for() -> None:
    p = holm_wilcoxon(LOSSES, OPTIMA, reference=0, champion=0, others=[2])
    assert np.isnan(p[[0, 1]]).all()
    assert p[2] < holm_wilcoxon(LOSSES, OPTIMA, reference=0, champion=0, others=[1, 2])[2]


def test_families_are_means_over_their_own_functions() -> None:
    losses = {"a-1": LOSSES[0], "a-2": LOSSES[1], "b-1": LOSSES[2]}
    families = {name: name[0] for name in losses}
    found = regret_by_family(losses, dict.fromkeys(losses, 0.0), families, reference=0)
    assert [*found] == ["a", "b"]
    assert found["b"].tolist() == normalised_regret(LOSSES[2], 0.0, 0).tolist()
    assert found["a"][0] == 1.0
