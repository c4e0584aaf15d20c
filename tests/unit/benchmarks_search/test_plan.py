from __future__ import annotations

import sys

import pytest

from tests.benchmarks.search.__main__ import main
from tests.benchmarks.search.functions.catalogue import function, of_half, portfolio
from tests.benchmarks.search.functions.contract import Half
from tests.benchmarks.search.methods import METHODS
from tests.benchmarks.search.plan import Plan

FUNCTIONS = of_half(portfolio(), Half.REPORT)


def plan(*methods: str, costly_every: int = 3) -> Plan:
    """A plan for the functions on which figures are reported."""
    return Plan(methods, FUNCTIONS, {1: 40, 4: 100}, 10, "report", 1, None, costly_every)


def test_each_mode_is_looked_at_where_its_searches_reach() -> None:
    assert plan("random").checkpoints(1) == [20, 40]
    assert plan("random").checkpoints(4) == [20, 40, 100]
    assert Plan(("random",), FUNCTIONS, {1: 8}, 1, "report", 1, None).checkpoints(1) == [8]


def test_quick_methods_are_compared_on_all_functions_and_with_costly_ones_on_some() -> None:
    every, some = plan("BAYESIAN", "random", "ax").groups
    assert (every.methods, every.functions) == (("BAYESIAN", "random"), FUNCTIONS)
    assert some.methods == ("BAYESIAN", "random", "ax")
    assert set(some.functions) < set(FUNCTIONS)
    assert every.title != some.title


def test_the_functions_of_costly_methods_are_of_most_families() -> None:
    _, some = plan("BAYESIAN", "random", "ax").groups
    assert len({function(name).family for name in some.functions}) >= 5


def test_without_costly_methods_or_with_all_functions_for_them_there_is_one_comparison() -> None:
    (without,) = plan("BAYESIAN", "random").groups
    (with_all,) = plan("BAYESIAN", "ax", costly_every=1).groups
    assert without.functions == with_all.functions == FUNCTIONS
    assert with_all.methods == ("BAYESIAN", "ax")


def test_only_ax_is_costly() -> None:
    assert [name for name, method in METHODS.items() if method.costly] == ["ax"]


def test_an_unknown_method_is_refused_with_the_known_ones(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["search", "quality", "--methods", "random", "spearmint"])
    with pytest.raises(SystemExit):
        main()
    assert "unknown methods: spearmint; known: BAYESIAN, RANDOM" in capsys.readouterr().err
