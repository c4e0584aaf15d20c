"""The methods that are compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from hrnn_tuner.domain.search_space import SearchSpace
from hrnn_tuner.domain.tuning_job import StrategyName
from scheduler_service.strategies import Strategy, strategy_for
from scheduler_service.strategies.bayesian import BayesianStrategy
from tests.benchmarks.search.ours import StrategySearcher
from tests.benchmarks.search.peers.environments import make_environment
from tests.benchmarks.search.peers.peer_searcher import PeerSearcher, peer_process
from tests.benchmarks.search.recipes import RECIPES
from tests.benchmarks.search.searcher import Searcher

_HERE = "tests/benchmarks/search"


@dataclass(frozen=True)
class Method:
    """A way to search.

    Attributes:
        title: As tables call it.
        start: Starts a search in a space with a seed.
        code: Folders and files that decide about its proposals.
        tool: The peer whose environment it needs; None for one of this project's.
        costly: Whether a proposal takes seconds, so that it may search some of the functions only.
    """

    title: str
    start: Callable[[SearchSpace, int], Searcher]
    code: tuple[str, ...]
    tool: str | None = None
    costly: bool = False


def _peer(tool: str, sampler: str, title: str, *, costly: bool = False) -> Method:
    """A method of another tool."""

    def start(space: SearchSpace, seed: int) -> Searcher:
        return PeerSearcher(peer_process(tool), sampler, space, seed)

    files = ("line_server.py", "peer_searcher.py", f"{tool}_peer.py", f"{tool}-requirements.txt")
    code = (*(f"{_HERE}/peers/{file}" for file in files), f"{_HERE}/space_description.py")
    return Method(title, start, code, tool, costly)


def _ours(strategy: Strategy, title: str) -> Method:
    """A strategy of this project."""
    code = ("scheduler_service/strategies", f"{_HERE}/ours.py", f"{_HERE}/recipes.py")
    return Method(f"this project's {title}", partial(StrategySearcher, strategy), code)


#: What regret is measured by: its own is 1.
REFERENCE = "random"
#: Whose differences from the others are tested.
CHAMPION = "BAYESIAN"
METHODS: Mapping[str, Method] = {
    **{
        name.value: _ours(strategy_for(name), name.value)
        for name in (StrategyName.BAYESIAN, StrategyName.RANDOM, StrategyName.SOBOL, StrategyName.GRID)
    },
    **{name: _ours(BayesianStrategy(recipe), f"BAYESIAN, {name}") for name, recipe in RECIPES.items()},
    "random": _peer("optuna", "random", "Random (Optuna 5.0)"),
    "sobol": _peer("optuna", "sobol", "Sobol (Optuna 5.0)"),
    "tpe": _peer("optuna", "tpe", "TPE (Optuna 5.0)"),
    "gp": _peer("optuna", "gp", "GPSampler (Optuna 5.0)"),
    "cma-es": _peer("optuna", "cma-es", "CMA-ES (Optuna 5.0)"),
    "ax": _peer("ax", "default", "Ax 1.3", costly=True),
}
#: Grid search ends in no infinite space, and is no rival in a finite one; recipes are compared among themselves.
DEFAULTS = tuple(name for name in METHODS if name not in {StrategyName.GRID.value, *RECIPES})


def prepare(names: Sequence[str]) -> None:
    """Makes the environments that methods need."""
    for tool in sorted({tool for name in names if (tool := METHODS[name].tool) is not None}):
        make_environment(tool)
