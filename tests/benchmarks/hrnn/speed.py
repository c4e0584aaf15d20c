"""Table 5: how fast training is on one processor thread, beside RecBole's GRU4Rec and a plain padded GRU.

Same events, same hidden size, leave last out; validation ranks all items and filters none. Only one runs at a time.
Other work on the machine stretches the wall clock much and processor seconds a little, so the ratios are of the latter.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from tests.benchmarks.hrnn.peers import padded_gru
from tests.benchmarks.hrnn.peers.curve import Curve
from tests.benchmarks.hrnn.peers.recbole_environment import VERSION, recbole_python
from tests.benchmarks.hrnn.runs import run_all
from tests.benchmarks.hrnn.speed_runs import (
    CAP_CPU_S,
    COMMON,
    HIDDEN,
    PATIENCE,
    PRODUCT,
    RECBOLE,
    measure_padded,
    measure_product,
    measure_recbole,
)
from tests.benchmarks.results import Results
from tests.benchmarks.runs import Piece

#: Data sets that the table can be measured on; RecBole needs hours for the larger.
DATA_NAMES = ("ml-100k", "ml-1m-order")
_SEEDS = (1, 2, 3)
_PADDED = "padded torch.nn.GRU"
#: A model's best epoch is a lucky one; a little less is a steadier mark.
_NEARLY = 0.95

#: One curve for each seed, by model.
Curves = Mapping[str, list[Curve]]


def speed(jobs: int, data_name: str = DATA_NAMES[0]) -> Results:
    """Measures the table.

    Args:
        jobs: Is not heeded: what runs at the same time would slow each other.
        data_name: One of `DATA_NAMES`.
    """
    recbole_python()
    curves = _measured(data_name)
    marks = {variant: float(curves[variant][0].ndcg.max()) for variant in RECBOLE}
    return Results(
        key=f"bench-hrnn speed {data_name}",
        title=f"Training on one processor thread, {data_name}, leave last out, hidden size {HIDDEN}",
        headings=(
            "model",
            "events per CPU s",
            "CPU s (wall s) an epoch",
            "best NDCG@10",
            *(f"CPU s to {mark:.4f}, the best of {variant}" for variant, mark in marks.items()),
            "peak MB",
        ),
        rows=[_row(model, curves, marks) for model in curves],
        notes=_notes(curves, marks),
    )


def _measured(data_name: str) -> dict[str, list[Curve]]:
    """Trains everything, one after the other: this project's before and after the long ones, so that a drift shows."""
    first, *later = [
        {model: Piece(f"{model}, seed {seed}", measure_product, (data_name, model, seed)) for model in PRODUCT}
        for seed in _SEEDS
    ]
    others = {model: Piece(model, measure_recbole, (data_name, model, _SEEDS[0])) for model in RECBOLE}
    others[_PADDED] = Piece(_PADDED, measure_padded, (data_name, _SEEDS[0]))
    rounds = [first, others, *later]
    found = run_all([piece for pieces_of_round in rounds for piece in pieces_of_round.values()], jobs=1)
    return {
        model: [Curve.of(found[pieces_of_round[model].name]) for pieces_of_round in rounds if model in pieces_of_round]
        for model in (*PRODUCT, _PADDED, *RECBOLE)
    }


def _row(model: str, curves: Curves, marks: Mapping[str, float]) -> tuple[str, ...]:
    """The cells of one model, medians over its seeds."""
    own = curves[model]
    epochs = [int(curve.ndcg.argmax()) + 1 for curve in own]
    capped = " at the cap" if any(curve.capped for curve in own) else ""
    return (
        model,
        f"{np.median([curve.events / curve.epoch_cpu_s for curve in own]):,.0f}",
        f"{np.median([curve.epoch_cpu_s for curve in own]):.2f} ({np.median([c.epoch_wall_s for c in own]):.2f})",
        f"{np.median([curve.ndcg.max() for curve in own]):.4f} (epoch {', '.join(map(str, epochs))}{capped})",
        *(_time_to(mark, own, curves[variant]) for variant, mark in marks.items()),
        f"{np.median([curve.peak_mb for curve in own]):.0f}",
    )


def _time_to(mark: float, own: list[Curve], reference: list[Curve]) -> str:
    """Processor seconds to a quality, and how many times less that is than the reference took."""
    seconds = _seconds_to(mark, own)
    if not np.isfinite(seconds):
        return "not reached"
    return f"{seconds:.1f}" if own is reference else f"{seconds:.1f} ({_seconds_to(mark, reference) / seconds:.1f}x)"


def _seconds_to(mark: float, curves: list[Curve]) -> float:
    """The median over seeds; infinite when half of them or more never get there."""
    return float(np.median([curve.cpu_s_to(mark) for curve in curves]))


def _notes(curves: Curves, marks: Mapping[str, float]) -> tuple[str, ...]:
    """How the table was made."""
    nearly = "; ".join(
        f"{variant}: {_seconds_to(_NEARLY * mark, curves[variant]):.1f} s, "
        + ", ".join(f"{model} {_seconds_to(_NEARLY * mark, curves[model]):.1f} s" for model in (*PRODUCT, _PADDED))
        for variant, mark in marks.items()
    )
    capped = [variant for variant in RECBOLE if curves[variant][0].capped]
    return (
        f"hrnn: {dict(COMMON)}, else defaults; seeds {_SEEDS}, medians. Order only: no times, no own items, no recency "
        "mask, which leaves what RecBole's GRU4Rec sees.",
        f"RecBole {VERSION}: embedding and hidden size {HIDDEN}, else its defaults (one GRU layer, dropout 0.3, cross "
        "entropy, the newest 50 events of every prefix); (train_batch_size, learning_rate): "
        f"{dict(RECBOLE)}; its own early stop on NDCG@10 (10 epochs), at most {CAP_CPU_S} CPU s of training: "
        + (f"the cap ended {', '.join(capped)}." if capped else "the cap was not reached."),
        f"Padded GRU: batches of {padded_gru.BATCH_USERS} users, their newest {padded_gru.LONGEST} events, learning "
        f"rate {padded_gru.LEARNING_RATE}, dropout {padded_gru.DROPOUT}, no loss on padding, patience {PATIENCE}. "
        "One seed for it and for each of RecBole.",
        f"torch {torch.__version__} for all, one thread. Events: targets learnt from; RecBole makes a sample of every "
        "prefix, which counts as one event. Measuring and preparing are not in the times, but in the peak.",
        "NDCG@10 on every user's last event but one, all items, none filtered. RecBole's own figure is checked against "
        "this project's definition, its held-out events against this project's; it also ranks the few items that are "
        "in no training event.",
        f"CPU s to {_NEARLY:.0%} of those qualities: {nearly}.",
    )
