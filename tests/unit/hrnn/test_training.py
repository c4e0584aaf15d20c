from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from hrnn_tuner.algorithms import DataChannel
from hrnn_tuner.algorithms.contract import AlgorithmError, DataError, InvalidObjectiveError, TrainingContext
from hrnn_tuner.algorithms.hrnn import ALGORITHM
from hrnn_tuner.domain.search_space import Value
from tests.support.interactions import make_interactions, write_interactions, write_rows
from tests.unit.hrnn.context import ContextFactory, RecordingContext
from worker_service.hrnn.data.cache import load_interactions
from worker_service.hrnn.data.dataset import TrainingData, training_data
from worker_service.hrnn.data.queries import Queries
from worker_service.hrnn.data.recency import item_counts
from worker_service.hrnn.evaluation.evaluate import Evaluation, evaluate
from worker_service.hrnn.settings import HrnnSettings
from worker_service.hrnn.trainer import HrnnTrainer
from worker_service.hrnn.training import training_job
from worker_service.hrnn.training.schedule import learning_rate_factor

Script = Callable[[str, list[float]], None]


def _train(context: RecordingContext) -> RecordingContext:
    HrnnTrainer().train(context)
    return context


def _data(context: TrainingContext) -> TrainingData:
    settings = HrnnSettings.from_hyperparameters(context.hyperparameters)
    interactions = load_interactions(context.channels["interactions"], context.cache_dir)
    return training_data(interactions, settings, context.split_seed)


def _weights(context: RecordingContext) -> dict[str, torch.Tensor]:
    return load_file(context.artifact_dir / "model.safetensors")


def test_every_epoch_reports_every_declared_metric_in_order(make_context: ContextFactory) -> None:
    context = _train(make_context(epochs=3))
    assert [step for step, _ in context.reports] == [1, 2, 3]
    for _, metrics in context.reports:
        assert set(metrics) == {metric.name for metric in ALGORITHM.metrics}
        assert np.isfinite(list(metrics.values())).all()
    assert context.started == 1


def test_the_model_learns_what_follows_what(make_context: ContextFactory) -> None:
    context = _train(make_context(epochs=12, hidden_dimension=16, patience=12))
    data = _data(context)
    counts = torch.from_numpy(item_counts(data.events_item, data.events_time, len(data.catalogue), None))

    def popularity(batch: Queries) -> torch.Tensor:
        return counts.expand(len(batch), -1)

    baseline = evaluate(popularity, data.validation, len(data.catalogue), data.total_items).metrics()
    learnt = context.reports[-1][1]
    assert learnt["mean_reciprocal_rank_at_25"] > 2 * baseline["mean_reciprocal_rank_at_25"]
    assert learnt["train_loss"] < context.reports[0][1]["train_loss"]


def test_the_same_seed_gives_the_same_metrics_and_weights(make_context: ContextFactory) -> None:
    first, second = _train(make_context(seed=5)), _train(make_context(seed=5))
    assert first.reports == second.reports
    assert all(torch.equal(value, _weights(second)[name]) for name, value in _weights(first).items())


def test_the_hyperparameter_seed_takes_the_place_of_the_training_jobs(make_context: ContextFactory) -> None:
    own = _train(make_context(seed=7))
    given = make_context(seed=5)
    _train(replace(given, hyperparameters={**given.hyperparameters, "seed": 7}, reports=given.reports))
    assert given.reports == own.reports
    assert json.loads((given.artifact_dir / "manifest.json").read_text())["seed"] == 7


def test_another_seed_gives_another_model(make_context: ContextFactory) -> None:
    assert _train(make_context(seed=5)).reports != _train(make_context(seed=6)).reports


def test_a_job_between_does_not_change_a_result_nor_does_the_global_generator(make_context: ContextFactory) -> None:
    first = _train(make_context(seed=5))
    torch.manual_seed(99)
    _train(make_context(seed=8, hidden_dimension=5, bptt=3, recency_mask=False))
    assert _train(make_context(seed=5)).reports == first.reports


def test_training_leaves_the_state_of_torch_as_it_was(make_context: ContextFactory) -> None:
    before = torch.get_rng_state(), torch.get_num_threads(), torch.get_default_dtype(), torch.is_grad_enabled()
    _train(make_context(epochs=1))
    after = torch.get_rng_state(), torch.get_num_threads(), torch.get_default_dtype(), torch.is_grad_enabled()
    assert torch.equal(before[0], after[0])
    assert before[1:] == after[1:]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Script:
    """Replaces one metric of the evaluation by given values, one for each epoch."""

    def replace(name: str, values: list[float]) -> None:
        following = iter(values)

        class Scripted:
            def __init__(self, real: Evaluation) -> None:
                self._real = real

            def __getattr__(self, name: str) -> Any:
                return getattr(self._real, name)

            def metrics(self) -> dict[str, float]:
                return {**self._real.metrics(), name: next(following, 0.0)}

        monkeypatch.setattr(training_job, "evaluate", lambda *arguments: Scripted(evaluate(*arguments)))

    return replace


@pytest.mark.parametrize(
    "change",
    [
        {"hidden_dimension": 9},
        {"bptt": 3},
        {"recency_mask": False},
        {"min_user_history_length_percentile": 0.5},
        {"max_user_history_length_percentile": 0.5},
        {"cell": "flat"},
        {"use_query_gap": False},
        {"session_gap": 200},
        {"recency_half_life_days": 5.0},
        {"learning_rate": 0.01},
        {"dropout": 0.0},
        {"batch_tokens": 64},
        {"loss": "sampled"},
        {"loss": "sampled", "negative_samples": 16},
    ],
    ids=lambda change: "-".join(map(str, change.values())),
)
def test_every_hyperparameter_changes_the_result(
    make_context: ContextFactory, tmp_path: Path, change: dict[str, Value]
) -> None:
    rows = make_interactions(60, 40, 40, seed=1)
    uneven = [row for row in rows if row[2] % 60 < 20 + int(row[0][1:])]  # users of 13 to 40 events
    path = write_rows(tmp_path / "uneven.csv", uneven)
    plain = _train(make_context(str(path), epochs=1)).reports[0][1]["train_loss"]
    changed = _train(make_context(str(path), epochs=1, **change)).reports[0][1]["train_loss"]
    assert plain != changed


def test_training_ends_when_patience_runs_out(make_context: ContextFactory, script: Script) -> None:
    script("precision_at_25", [0.1, 0.3, 0.2, 0.3, 0.25, 0.9])
    context = _train(make_context(epochs=6, patience=3))
    assert [metrics["precision_at_25"] for _, metrics in context.reports] == [0.1, 0.3, 0.2, 0.3, 0.25]


def test_the_best_epoch_is_kept_and_not_the_last(make_context: ContextFactory, script: Script) -> None:
    script("precision_at_25", [0.1, 0.3, 0.2])
    context = _train(make_context(epochs=3))
    assert json.loads((context.artifact_dir / "manifest.json").read_text())["epoch"] == 2
    two_epochs_only = make_context(epochs=3)
    two_epochs_only.stop_after_steps = 2 * context.asked // 3
    script("precision_at_25", [0.1, 0.3])
    _train(two_epochs_only)
    assert all(torch.equal(value, _weights(two_epochs_only)[name]) for name, value in _weights(context).items())


def test_the_best_epoch_of_an_objective_to_minimise_is_the_lowest(make_context: ContextFactory) -> None:
    context = make_context(epochs=3)
    context.objective_metric = "train_loss"
    _train(context)
    losses = [metrics["train_loss"] for _, metrics in context.reports]
    best = json.loads((context.artifact_dir / "manifest.json").read_text())["epoch"]
    assert losses[best - 1] == min(losses) < losses[0]


def test_a_stop_is_obeyed_within_a_step_and_keeps_the_best_epoch(make_context: ContextFactory) -> None:
    whole = _train(make_context(epochs=1))
    context = make_context(epochs=5)
    context.stop_after_steps = whole.asked + 1
    _train(context)
    assert context.asked == whole.asked + 2
    assert len(context.reports) == 1
    assert (context.artifact_dir / "model.safetensors").exists()


def test_a_stop_before_the_first_epoch_ends_leaves_no_model(make_context: ContextFactory) -> None:
    context = make_context()
    context.stop_after_steps = 1
    _train(context)
    assert not context.reports
    assert not list(context.artifact_dir.iterdir())


def test_a_loss_that_is_not_finite_fails_with_the_reason(make_context: ContextFactory) -> None:
    with pytest.raises(
        InvalidObjectiveError, match=r"training loss became (nan|inf) in epoch 1, step \d+, with learning"
    ):
        _train(make_context(learning_rate=1e38))


def test_scores_that_are_not_finite_fail_with_the_reason(make_context: ContextFactory) -> None:
    data = _data(make_context())

    def broken(batch: Queries) -> torch.Tensor:
        return torch.full((len(batch), len(data.catalogue)), float("nan"))

    with pytest.raises(InvalidObjectiveError, match="scores became NaN or infinite"):
        evaluate(broken, data.validation, len(data.catalogue), data.total_items)


def test_memory_running_out_is_passed_on_unchanged(
    make_context: ContextFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    raised = torch.OutOfMemoryError("CUDA out of memory")

    def exhaust(*_: object) -> None:
        raise raised

    monkeypatch.setattr(training_job, "chunk_loss", exhaust)
    with pytest.raises(torch.OutOfMemoryError) as caught:
        _train(make_context())
    assert caught.value is raised


def test_an_objective_that_is_not_reported_is_an_error(make_context: ContextFactory) -> None:
    context = make_context()
    context.objective_metric = "beauty"
    with pytest.raises(InvalidObjectiveError, match="reports no metric 'beauty'"):
        _train(context)


def test_an_unknown_hyperparameter_is_an_error_that_names_it(make_context: ContextFactory) -> None:
    with pytest.raises(AlgorithmError, match="unknown hyperparameters: depth; known: batch_tokens"):
        _train(make_context(depth=3))


def test_a_missing_channel_is_an_error(make_context: ContextFactory) -> None:
    context = make_context()
    context.channels = {"items": DataChannel("x")}
    with pytest.raises(DataError, match="the channel 'interactions' is missing; given: items"):
        _train(context)


def test_too_little_data_fail_before_training_starts(make_context: ContextFactory, tmp_path: Path) -> None:
    path = write_interactions(tmp_path / "small.csv", users=5, events_per_user=5)
    context = make_context(str(path))
    with pytest.raises(DataError, match="has 25 interactions; at least 1000 are needed"):
        _train(context)
    assert context.started == 0


def test_a_second_job_on_the_same_data_reads_no_source(
    make_context: ContextFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = _train(make_context(epochs=1))
    monkeypatch.setattr("worker_service.hrnn.data.cache.read_interactions", None)
    assert _train(make_context(epochs=1)).reports == first.reports


def test_warming_up_sets_the_threads_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HRNN_TUNER_TORCH_THREADS", "2")
    HrnnTrainer().warm_up("cpu")
    assert torch.get_num_threads() == 2


def test_validation_and_test_users_share_nothing_with_training(make_context: ContextFactory) -> None:
    data = _data(make_context())
    total = len(data.validation) + len(data.test) + len(data.positions.offsets) - 1
    assert total == 60
    assert len(data.positions.item) == (60 - len(data.validation) - len(data.test)) * 19


def test_coverage_is_measured_against_all_items_of_the_interactions(make_context: ContextFactory) -> None:
    data = _data(make_context())

    def same_for_all(batch: Queries) -> torch.Tensor:
        return torch.arange(float(len(data.catalogue))).expand(len(batch), -1)

    metrics = evaluate(same_for_all, data.validation, len(data.catalogue), data.total_items).metrics()
    assert metrics["coverage"] == pytest.approx(25 / data.total_items)


def test_the_learning_rate_warms_up_and_falls_to_a_tenth() -> None:
    factors = [learning_rate_factor(step, 2000) for step in range(2000)]
    peak = int(np.argmax(factors))
    assert factors[:peak] == sorted(factors[:peak])
    assert factors[peak:] == sorted(factors[peak:], reverse=True)
    assert max(factors) == pytest.approx(1.0)
    assert factors[-1] == pytest.approx(0.1, abs=1e-3)
    assert factors[0] < 0.05


def test_a_schedule_of_one_step_is_defined() -> None:
    assert 0 < learning_rate_factor(0, 1) <= 1
