"""Tables 3 and 4: leak-free temporal splits, beside simple baselines, and what sessions and the cell bring there.

Train on the past, choose the epoch (and what the baselines leave open) on the next window, train anew on both, and be
asked about the last window, once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from hrnn_tuner.domain.search_space import Value
from tests.benchmarks.hrnn.ablation import VARIANTS, without_sessions
from tests.benchmarks.hrnn.datasets import interactions
from tests.benchmarks.hrnn.evaluations import cell, difference, from_figures, to_figures
from tests.benchmarks.hrnn.fitting import fit, refit
from tests.benchmarks.hrnn.runs import run_all
from tests.benchmarks.results import Results
from tests.benchmarks.runs import Figures, Piece
from worker_service.hrnn.data.dataset import TrainingData, training_data
from worker_service.hrnn.data.sessions import SessionRule
from worker_service.hrnn.data.split import TemporalSplit
from worker_service.hrnn.evaluation.baselines.events import TrainingEvents
from worker_service.hrnn.evaluation.baselines.item_knn import ItemKnn
from worker_service.hrnn.evaluation.baselines.markov import Markov
from worker_service.hrnn.evaluation.baselines.own_frequency import OwnFrequency
from worker_service.hrnn.evaluation.baselines.popularity import DecayedPopularity, Popularity, best_half_life
from worker_service.hrnn.evaluation.baselines.session_knn import SessionKnn
from worker_service.hrnn.evaluation.evaluate import Evaluation, Scorer, evaluate
from worker_service.hrnn.settings import HrnnSettings

_NDCG, _HIT = "normalized_discounted_cumulative_gain_at_10", "hit_rate_at_25"
_COMMON: Mapping[str, Value] = {"max_user_history_length_percentile": 1.0, "recency_mask": False, "patience": 3}


@dataclass(frozen=True)
class Setting:
    """How one data set is measured.

    Attributes:
        train_until: Quantile of time where training ends and the validation window starts.
        test_from: Quantile where the test window starts.
        every_event: Ask about every event of the window, not only about each user's first.
        own_sessions: Users are sessions: the session baseline needs no time gap to find them.
        hyperparameters: Of the network.
        seeds: One model each; the metrics of a query are means over them.
    """

    train_until: float
    test_from: float
    every_event: bool
    own_sessions: bool
    hyperparameters: Mapping[str, Value]
    seeds: tuple[int, ...]


SETTINGS = {
    "ml-100k": Setting(0.8, 0.9, False, False, {"hidden_dimension": 64, "epochs": 10}, (1, 2, 3)),
    "online-retail-2": Setting(0.8, 0.9, False, False, {"hidden_dimension": 64, "epochs": 4}, (1,)),
    "yoochoose-100k": Setting(
        0.75, 0.86, True, True, {"hidden_dimension": 128, "dropout": 0.4, "epochs": 12}, (1, 2, 3)
    ),
}
#: No rule finds a session's end where every user is one session.
_ENDLESS = SessionRule(session_gap_s=10**9, long_break_s=10**9, typical_start_gap_s=600)
BASELINES: Mapping[str, Callable[[TrainingData, TrainingData, bool], Scorer]] = {
    "popularity": lambda past, data, own: Popularity(TrainingEvents.of(data)),
    "decayed popularity": lambda past, data, own: DecayedPopularity(
        TrainingEvents.of(data), best_half_life(TrainingEvents.of(past), past.validation)
    ),
    "popularity of 7 days": lambda past, data, own: DecayedPopularity(TrainingEvents.of(data), 7.0),
    "own-history frequency": lambda past, data, own: OwnFrequency(TrainingEvents.of(data)),
    "Markov": lambda past, data, own: Markov(TrainingEvents.of(data)),
    "item-kNN": lambda past, data, own: ItemKnn(TrainingEvents.of(data)),
    "VS-kNN": lambda past, data, own: SessionKnn(TrainingEvents.of(data), _ENDLESS if own else data.rule),
}


def temporal(jobs: int) -> Results:
    """Measures the network against the baselines."""
    rows = []
    for name, setting in SETTINGS.items():
        found = _measured(name, setting, ("hrnn",), jobs, [*BASELINES])
        rows += [
            (name, model, cell(own, _NDCG), cell(own, _HIT), _against(found["hrnn"], own))
            for model, own in found.items()
        ]
    return Results(
        key="bench-hrnn temporal",
        title="Temporal splits without leaks",
        headings=("data", "model", "NDCG@10 [95%]", "HR@25 [95%]", "hrnn better in NDCG@10 by [95%]"),
        rows=rows,
        notes=_notes(),
    )


def ablation(jobs: int) -> Results:
    """Measures what the cell and the session information bring."""
    rows = []
    for name in ("online-retail-2", "yoochoose-100k"):
        found = _measured(name, SETTINGS[name], VARIANTS, jobs, [])
        rows += [
            (name, variant, cell(own, _NDCG), cell(own, _HIT), _against(found["hrnn"], own))
            for variant, own in found.items()
        ]
    return Results(
        key="bench-hrnn ablation",
        title="What the cell, the session information and the own items bring",
        headings=("data", "model", "NDCG@10 [95%]", "HR@25 [95%]", "hrnn better in NDCG@10 by [95%]"),
        rows=rows,
        notes=(*_notes(), *(f"{variant}: {meaning}." for variant, meaning in VARIANTS.items())),
    )


def measure_network(name: str, variant: str, seed: int) -> Figures:
    """Trains one model twice: to choose the epoch, and up to the test window."""
    setting = SETTINGS[name]
    hyperparameters: dict[str, Value] = {**_COMMON, **setting.hyperparameters}
    if variant == "flat":
        hyperparameters["cell"] = "flat"
    if variant == "without own items":
        hyperparameters["own_items"] = False
    past, data = _data(name, setting)
    if variant == "no session information":
        hyperparameters |= {"cell": "flat", "use_query_gap": False}
        past, data = without_sessions(past), without_sessions(data)
    title = f"{name}, {variant}, seed {seed}"
    fitted = fit(title, past, hyperparameters, seed, _NDCG)
    training = refit(title, data, hyperparameters, seed, _NDCG, fitted.epoch)
    return {**to_figures(training.measure(data.test)), "epoch": np.array(fitted.epoch)}


def measure_baseline(name: str, model: str) -> Figures:
    """Measures one baseline."""
    setting = SETTINGS[name]
    past, data = _data(name, setting)
    scorer = BASELINES[model](past, data, setting.own_sessions)
    return to_figures(evaluate(scorer, data.test, len(data.catalogue), data.total_items))


def _data(name: str, setting: Setting) -> tuple[TrainingData, TrainingData]:
    """The data to choose with, and those to be measured with."""
    source = interactions(name)
    settings = HrnnSettings.from_hyperparameters(_COMMON)
    split = TemporalSplit(setting.train_until, setting.test_from, setting.every_event)
    return training_data(source, settings, 0, split), training_data(
        source, settings, 0, replace(split, train_until=setting.test_from)
    )


def _measured(
    name: str, setting: Setting, variants: Mapping[str, str] | tuple[str, ...], jobs: int, baselines: list[str]
) -> dict[str, list[Evaluation]]:
    """Evaluations by model, one for each seed."""
    pieces = [
        Piece(f"{name}, {variant}, seed {seed}", measure_network, (name, variant, seed))
        for variant in variants
        for seed in setting.seeds
    ]
    pieces += [Piece(f"{name}, {model}", measure_baseline, (name, model)) for model in baselines]
    found = {key: from_figures(figures) for key, figures in run_all(pieces, jobs).items()}
    networks = {variant: [found[f"{name}, {variant}, seed {seed}"] for seed in setting.seeds] for variant in variants}
    return {**networks, **{model: [found[f"{name}, {model}"]] for model in baselines}}


def _against(hrnn: list[Evaluation], other: list[Evaluation]) -> str:
    """How much better the network is; empty beside itself."""
    return "" if hrnn is other else difference(hrnn, other, _NDCG)


def _notes() -> tuple[str, ...]:
    """How the tables were made."""
    settings = "; ".join(
        f"{name}: {dict(setting.hyperparameters)}, seeds {setting.seeds}, windows from the quantiles "
        f"{setting.train_until} and {setting.test_from}, asked about "
        f"{'every event' if setting.every_event else 'the first event of a user'} there"
        for name, setting in SETTINGS.items()
    )
    return (
        f"{settings}; all with {dict(_COMMON)}, else defaults.",
        "Epochs (and the half-life of decayed popularity) chosen on the first window; every model, baselines too, "
        "then learns from everything before the second. Sessions are never cut. Intervals: bootstrap over users, 1,000 "
        "draws.",
    )
