"""Command line of the tables."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping
from dataclasses import replace

from tests.benchmarks.results import Results
from tests.benchmarks.search.functions.catalogue import NAMES, of_half, portfolio
from tests.benchmarks.search.functions.contract import Half
from tests.benchmarks.search.hrnn_training import hrnn_trainings
from tests.benchmarks.search.methods import CHAMPION, DEFAULTS, METHODS, REFERENCE
from tests.benchmarks.search.multi_fidelity import multi_fidelity
from tests.benchmarks.search.plan import Plan
from tests.benchmarks.search.proposal_time import proposal_time
from tests.benchmarks.search.quality import quality
from tests.benchmarks.search.real_job import real_job
from tests.benchmarks.search.recipes import RECIPES

TABLES: Mapping[str, Callable[[argparse.Namespace], list[Results]]] = {
    "hrnn-table": lambda arguments: hrnn_trainings(arguments.jobs, arguments.budget_minutes, arguments.rows),
    "recipes": lambda arguments: quality(_recipes_plan(arguments)),
    "quality": lambda arguments: quality(_plan(arguments)),
    "proposal-time": lambda arguments: proposal_time(arguments.methods, arguments.budget_minutes),
    "real-job": lambda arguments: real_job(arguments.jobs),
    "multi-fidelity": lambda arguments: multi_fidelity(_plan(arguments)),
}
#: What is measured without a name: the trainings are in the repository, and the recipe is chosen.
_DEFAULT_TABLES = ("quality", "proposal-time", "multi-fidelity", "real-job")


def main() -> None:
    """Measures the chosen tables."""
    parser = _parser()
    arguments = parser.parse_args()
    for chosen, known, what in (
        (arguments.tables, TABLES, "tables"),
        (arguments.methods, METHODS, "methods"),
    ):
        if unknown := sorted(set(chosen) - set(known)):
            parser.error(f"unknown {what}: {', '.join(unknown)}; known: {', '.join(known)}")
    if not _functions(arguments):
        parser.error(f"no function of the half {arguments.half} starts with {', '.join(arguments.functions)}")
    # One core for everybody: libraries read this when a process of a run loads them.
    for library in ("OMP", "MKL", "OPENBLAS", "NUMEXPR"):
        os.environ[f"{library}_NUM_THREADS"] = "1"
    for name in arguments.tables or _DEFAULT_TABLES:
        for results in TABLES[name](arguments):
            results.show()
            if arguments.record:
                results.record()


def _parser() -> argparse.ArgumentParser:
    """The options."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.search",
        description="Measures how well and how fast strategies search, beside Optuna and Ax, which are installed into "
        "environments of their own. Finished runs are kept below .cache/bench-search, so that an interrupted command "
        "goes on where it was.",
    )
    add = parser.add_argument
    add("tables", nargs="*", metavar="TABLE", help=f"any of {', '.join(TABLES)}; default: {', '.join(_DEFAULT_TABLES)}")
    add("--jobs", type=int, default=os.cpu_count() or 1, help="runs at a time (default: one per core)")
    add("--seeds", type=int, default=10, help="searches of each function (default: 10)")
    add("--in-flight", type=int, nargs="+", default=[1, 4], help="training jobs at a time (default: 1 4)")
    add("--trials", type=int, help="training jobs of each search (default: 40 with one in flight, 100 with more)")
    add("--costly-every", type=int, default=3, help="Ax searches one function in so many (default: 3)")
    add("--methods", nargs="+", default=[*DEFAULTS], help=f"of {', '.join(METHODS)}; the first is tested against all")
    add("--functions", nargs="+", default=[], metavar="PREFIX", help="of the names of functions (default: a portfolio)")
    halves = (*(half.value for half in Half), "all")
    add("--half", choices=halves, default=Half.REPORT.value, help="of the functions (default: report)")
    add("--rows", type=int, help="trains only so many rows of hrnn-table and writes no file, to see what it would take")
    add("--budget-minutes", type=float, help="starts no further run of a table after so long")
    add("--record", action="store_true", help="write the tables to tests/benchmarks/RESULTS.md")
    return parser


def _functions(arguments: argparse.Namespace) -> tuple[str, ...]:
    """The names of the chosen functions: those of the portfolio that start as given, and any other by its full name."""
    prefixes = tuple(arguments.functions)
    exact = tuple(name for name in NAMES if name in prefixes)
    names = tuple(name for name in portfolio() if not prefixes or name.startswith(prefixes))
    names = tuple(dict.fromkeys((*exact, *names)))
    return names if arguments.half == "all" else of_half(names, Half(arguments.half))


def _plan(arguments: argparse.Namespace) -> Plan:
    """What the options ask for."""
    return Plan(
        methods=tuple(arguments.methods),
        functions=_functions(arguments),
        trials=_trials(arguments),
        seeds=arguments.seeds,
        half=arguments.half,
        jobs=arguments.jobs,
        minutes=arguments.budget_minutes,
        costly_every=arguments.costly_every,
    )


def _recipes_plan(arguments: argparse.Namespace) -> Plan:
    """The Bayesian strategy beside its variants, on the functions that nothing is reported on."""
    arguments.half, arguments.in_flight, arguments.trials = Half.CHOICE.value, [4], 40
    return replace(_plan(arguments), methods=(CHAMPION, *RECIPES, REFERENCE))


def _trials(arguments: argparse.Namespace) -> dict[int, int]:
    """Training jobs of each search by how many run at a time."""
    return {count: arguments.trials or (40 if count == 1 else 100) for count in arguments.in_flight}


if __name__ == "__main__":
    main()
