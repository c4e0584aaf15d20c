"""Table quality: how good the best of 20, 40 and 100 training jobs is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.paths import cache_of
from tests.benchmarks.results import Results
from tests.benchmarks.runs import Figures, Piece, Runs
from tests.benchmarks.search.comparison import holm_wilcoxon, mean_ranks, regret_by_family, regret_intervals
from tests.benchmarks.search.functions.catalogue import function
from tests.benchmarks.search.methods import METHODS, REFERENCE, prepare
from tests.benchmarks.search.plan import Group, Plan
from tests.benchmarks.search.simulation import simulate

#: Decides about every search, whatever the method.
COMMON_CODE = (
    "hrnn_tuner/domain/parameter_range.py",
    "hrnn_tuner/domain/scaling.py",
    "hrnn_tuner/domain/search_space.py",
    "tests/benchmarks/search/functions",
    "tests/benchmarks/search/searcher.py",
    "tests/benchmarks/search/simulation.py",
)
#: What the functions are for, by how they were chosen.
_HALVES = {
    "report": "No choice of BAYESIAN's was made on these functions: those of the other half, which are of the same "
    "families, are for that (see the table recipes).",
    "choice": "These functions are for choices, and none of them is among those that quality is reported on.",
    "all": "These functions are for choices and for reports.",
}
RUNS = Runs(cache_of("bench-search") / "runs", code=COMMON_CODE, fresh=False)


#: The figures of searches by method, function, training jobs at a time and seed.
Searches = Mapping[tuple[str, str, int, int], Figures]


@dataclass(frozen=True)
class Compared:
    """The searches of one group in one mode.

    Attributes:
        plan: Where they belong.
        group: Methods and functions.
        in_flight: Training jobs at a time.
        best: The course of the best loss [methods, seeds, trials] by function.
        optima: The lowest loss by function.
    """

    plan: Plan
    group: Group
    in_flight: int
    best: Mapping[str, NDArray[np.float64]]
    optima: Mapping[str, float]

    @property
    def title(self) -> str:
        """Tells it from others."""
        return f"{self.in_flight} in flight, {self.plan.half} functions{self.group.title}"

    @property
    def tested(self) -> tuple[int, ...]:
        """Positions of the methods that the first one is tested against: each method in one group only."""
        costly = [at for at, method in enumerate(self.group.methods) if METHODS[method].costly]
        return tuple(costly or range(1, len(self.group.methods)))

    @property
    def least_p(self) -> float:
        """The smallest p that so many functions can give after Holm."""
        return min(1.0, len(self.tested) * 2.0 ** (1 - len(self.best)))

    @property
    def key(self) -> str:
        """The place of its tables in the file of results."""
        return f"{self.plan.half}{self.group.title} {self.in_flight}"


def search(method: str, name: str, in_flight: int, trials: int, seed: int) -> Figures:
    """One search."""
    searched = function(name)
    searcher = METHODS[method].start(searched.space, seed)
    return simulate(searcher, searched, in_flight, trials, seed).figures()


def quality(plan: Plan) -> list[Results]:
    """Measures the tables."""
    if REFERENCE not in plan.methods:
        raise SystemExit(f"regret is measured by that of {REFERENCE!r}, which must be among the methods")
    prepare(plan.methods)
    pieces = {
        (method, name, in_flight, seed): _piece(plan, method, name, in_flight, seed)
        for seed in range(1, plan.seeds + 1)
        for group in plan.groups
        for method in group.methods
        for in_flight in plan.in_flight
        for name in group.functions
    }
    found = RUNS.run_all([*pieces.values()], plan.jobs, plan.minutes)
    measured = {key: found[piece.name] for key, piece in pieces.items() if piece.name in found}
    optima = _optima(plan, measured)
    tables = []
    for group in plan.groups:
        for in_flight in plan.in_flight:
            compared = Compared(plan, group, in_flight, _best(plan, group, measured, in_flight), optima)
            if compared.best:
                tables += [_table(compared, measured), _family_table(compared)]
    if len(measured) < len(pieces):
        print(f"{len(measured)} of {len(pieces)} searches are done; the same command goes on where it was", flush=True)
    return tables


def _piece(plan: Plan, method: str, name: str, in_flight: int, seed: int) -> Piece:
    """The run of one search."""
    title = f"{method} on {name}, {in_flight} in flight, seed {seed}"
    return Piece(title, search, (method, name, in_flight, plan.trials[in_flight], seed), METHODS[method].code)


def _best(plan: Plan, group: Group, measured: Searches, in_flight: int) -> dict[str, NDArray[np.float64]]:
    """The course of the best loss [methods, seeds, trials] by function, of the seeds that all methods have."""
    found = {}
    for name in group.functions:
        seeds = [
            seed
            for seed in range(1, plan.seeds + 1)
            if all((method, name, in_flight, seed) in measured for method in group.methods)
        ]
        if seeds:
            found[name] = np.array(
                [[measured[method, name, in_flight, seed]["best"] for seed in seeds] for method in group.methods]
            )
    return found


def _optima(plan: Plan, measured: Searches) -> dict[str, float]:
    """The lowest loss of each function: the known one, or else the lowest that any search found."""
    seen: dict[str, float] = {}
    for (_, name, _, _), figures in measured.items():
        seen[name] = min(seen.get(name, np.inf), float(figures["best"].min()))
    known = {name: function(name).optimum for name in plan.functions}
    return {name: lowest if known[name] is None else float(known[name] or 0.0) for name, lowest in seen.items()}


def _table(compared: Compared, measured: Searches) -> Results:
    """Ranks, regret and p-values."""
    plan, methods, best, in_flight = compared.plan, compared.group.methods, compared.best, compared.in_flight
    names, reference, counts = [*best], methods.index(REFERENCE), plan.checkpoints(in_flight)
    lows = [compared.optima[name] for name in names]
    columns: list[list[str]] = []
    for count in counts:
        losses = [best[name][:, :, count - 1] for name in names]
        columns.append([f"{rank:.2f}" for rank in mean_ranks(losses)])
        columns.append([str(interval) for interval in regret_intervals(losses, lows, reference)])
        p_values = holm_wilcoxon(losses, lows, reference, champion=0, others=compared.tested)
        columns.append(["" if np.isnan(p) else f"{p:.2g}" for p in p_values])
    columns.append([f"{_proposal_cpu_s(measured, method, in_flight, names):.3f}" for method in methods])
    headings = [f"{what} at {count}" for count in counts for what in ("rank", "regret [95%]", "p")]
    return Results(
        key=f"bench-search quality {compared.key}",
        title=f"Search quality, {compared.title}",
        headings=("method", *headings, "CPU s a proposal"),
        rows=[(METHODS[method].title, *(column[row] for column in columns)) for row, method in enumerate(methods)],
        notes=_notes(compared),
    )


def _family_table(compared: Compared) -> Results:
    """Regret by family of functions."""
    methods, best = compared.group.methods, compared.best
    count = min(compared.plan.checkpoints(compared.in_flight), key=lambda checkpoint: abs(checkpoint - 40))
    families = {name: function(name).family for name in best}
    losses = {name: own[:, :, count - 1] for name, own in best.items()}
    regrets = regret_by_family(losses, compared.optima, families, methods.index(REFERENCE))
    sizes = {family: [*families.values()].count(family) for family in regrets}
    return Results(
        key=f"bench-search families {compared.key}",
        title=f"Normalised regret at {count} training jobs by family, {compared.title}",
        headings=("method", *(f"{family} ({size})" for family, size in sizes.items())),
        rows=[
            (METHODS[method].title, *(f"{own[row]:.2f}" for own in regrets.values()))
            for row, method in enumerate(methods)
        ],
        notes=_notes(compared),
    )


def _proposal_cpu_s(measured: Searches, method: str, in_flight: int, functions: Sequence[str]) -> float:
    """Processor seconds of a proposal, mean over a method's searches of some functions."""
    own = [
        figures["cpu_s"]
        for (searcher, name, parallel, _), figures in measured.items()
        if (searcher, parallel) == (method, in_flight) and name in functions
    ]
    return float(np.concatenate(own).mean())


def _notes(compared: Compared) -> tuple[str, ...]:
    """How the tables were made."""
    best = compared.best
    tested = ", ".join(METHODS[compared.group.methods[at]].title for at in compared.tested)
    searches = sum(own.shape[1] for own in best.values())
    return (
        f"{len(best)} functions ({', '.join(best)}), {searches / len(best):.1f} seeds each: ranks and regrets are "
        "means over functions of means over seeds, those that all methods have.",
        "Regret: what the best configuration is above the optimum, without noise, as a share of that of "
        f"{REFERENCE!r}, or, where the optimum is not known, above the lowest value that any search found. Intervals: "
        f"bootstrap over functions and seeds. p: Wilcoxon's signed-rank test of the first method against {tested}, "
        f"over functions, after Holm; so many functions cannot give less than {compared.least_p:.2g}.",
        "Every method asks for so many configurations before it is told a result, and then for one after each, in an "
        "order that seeded durations give, the same for all. Peers have their defaults, but that Sobol's sequence is "
        "scrambled. This project's BAYESIAN and Ax begin at the centre of the box, where no function has its optimum.",
        _HALVES[compared.plan.half],
    )
