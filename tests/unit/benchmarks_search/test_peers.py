from __future__ import annotations

import statistics
from collections.abc import Iterator

import pytest

from hrnn_tuner.domain.search_space import ContinuousRange, Scaling, SearchSpace
from tests.benchmarks.search.functions.catalogue import function
from tests.benchmarks.search.methods import METHODS
from tests.benchmarks.search.peers.environments import TOOLS, has_environment, requirements, script
from tests.benchmarks.search.peers.peer_searcher import PeerProcess, PeerSearcher, peer_process
from tests.benchmarks.search.simulation import simulate
from tests.benchmarks.search.space_description import described

needs_optuna = pytest.mark.skipif(
    not has_environment("optuna"), reason="Optuna's environment is not here: `make bench-search` makes it"
)


needs_ax = pytest.mark.skipif(
    not has_environment("ax"), reason="Ax's environment is not here: `make bench-search` makes it"
)


@pytest.fixture(scope="module")
def optuna() -> Iterator[PeerProcess]:
    with PeerProcess("optuna") as process:
        yield process


@needs_optuna
@pytest.mark.parametrize("name", ["bbob-mixint-f5-d5", "log-cliff-1", "conditional-layers-1", "categorical-pairs"])
def test_a_peer_searches_every_kind_of_space_and_repeats_itself_with_its_seed_only(
    optuna: PeerProcess, name: str
) -> None:
    searched = function(name)

    def course(seed: int) -> list[float]:
        trace = simulate(PeerSearcher(optuna, "random", searched.space, seed), searched, 4, trials=12, seed=1)
        return [float(value) for value in trace.best]

    assert course(1) == course(1)
    assert course(1) != course(2)


@needs_optuna
def test_a_peer_learns_from_training_jobs_that_it_did_not_propose(optuna: PeerProcess) -> None:
    line = SearchSpace((ContinuousRange("x", 0.0, 1.0, scaling=Scaling.LINEAR),))
    searcher = PeerSearcher(optuna, "tpe", line, seed=1)
    for number in range(1, 41):
        x = number / 41
        searcher.add(number, {"x": x}, (x - 0.8) ** 2)
    asked = [searcher.ask(number)[0] for number in range(41, 50)]
    # Those in flight push each other away a little.
    assert statistics.median(abs(float((configuration or {})["x"]) - 0.8) for configuration in asked) < 0.2


@needs_ax
@pytest.mark.parametrize("name", ["conditional-optimizer-1", "bbob-mixint-f5-d5"])
def test_ax_searches_conditional_and_mixed_spaces(name: str) -> None:
    searched = function(name)
    with PeerProcess("ax") as process:
        searcher = PeerSearcher(process, "default", searched.space, seed=1)
        searcher.add(1, searched.space.at([0.3] * len(searched.space.ranges)), 1.0)
        trace = simulate(searcher, searched, in_flight=2, trials=3, seed=1)
    assert len(trace.cpu_s) == 3


@needs_optuna
def test_a_peer_that_has_ended_says_so_and_another_takes_its_place() -> None:
    first = peer_process("optuna")
    with pytest.raises(RuntimeError, match=r"optuna ended with status 1 at ask"):
        first.request("ask", number=1)
    second = peer_process("optuna")
    assert second is not first
    assert second.is_alive
    second.close()


def test_a_space_is_described_with_parents_before_those_that_depend_on_them() -> None:
    space = function("conditional-optimizer-1").space
    backwards = SearchSpace(tuple(reversed(space.ranges)))
    names = [parameter["name"] for parameter in described(backwards)]
    assert sorted(names) == sorted(item.name for item in space.ranges)
    assert names.index("optimizer") < names.index("momentum")
    (momentum,) = (parameter for parameter in described(space) if parameter["name"] == "momentum")
    assert momentum["condition"] == {"name": "optimizer", "values": ["sgd", "rmsprop"]}
    assert (momentum["kind"], momentum["log"]) == ("float", False)


def test_a_scaling_that_no_other_tool_has_is_refused() -> None:
    reverse = ContinuousRange("momentum", 0.5, 0.999, scaling=Scaling.REVERSE_LOGARITHMIC)
    with pytest.raises(ValueError, match=r"'momentum'.*no reverse logarithm"):
        described(SearchSpace((reverse,)))


def test_every_peer_has_a_script_and_pinned_versions() -> None:
    assert {method.tool for method in METHODS.values()} - {None} == set(TOOLS)
    for tool in TOOLS:
        assert script(tool).exists()
        lines = [line for line in requirements(tool).read_text().splitlines() if not line.startswith("#")]
        assert lines
        assert all("==" in line for line in lines)
