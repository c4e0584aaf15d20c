from __future__ import annotations

import io
import logging
import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from hrnn_tuner.domain.search_space import Value
from tests.support.interactions import write_interactions
from tests.unit.hrnn.context import ContextFactory, RecordingContext
from worker_service.hrnn.data.cache import load_interactions
from worker_service.hrnn.data.dataset import training_data
from worker_service.hrnn.settings import HrnnSettings
from worker_service.hrnn.training import checkpoint, training_job
from worker_service.hrnn.training.chunk_loss import chunk_loss
from worker_service.hrnn.training.training_job import BestEpoch, HrnnTraining

EPOCHS = 4
FULL: Mapping[str, Value] = {"epochs": EPOCHS, "loss": "full", "learning_rate": 0.05}
SAMPLED: Mapping[str, Value] = {**FULL, "loss": "sampled", "negative_samples": 16, "cell": "flat"}
FILE = "checkpoint.pt"


class Outcome:
    """What is left of a training: its reports, its best epoch, and the model as it stands."""

    def __init__(self, context: RecordingContext, folder: Path | None) -> None:
        context.checkpoint_dir = folder
        settings = HrnnSettings.from_hyperparameters(context.hyperparameters)
        interactions = load_interactions(context.channels["interactions"], context.cache_dir)
        training = HrnnTraining(training_data(interactions, settings, context.split_seed), settings, context)
        self.context = context
        self.best: BestEpoch | None = training.run()
        self.weights: dict[str, Tensor] = training.model.state_dict()

    def assert_equal(self, other: Outcome) -> None:
        assert self.context.reports == other.context.reports
        assert self.context.started == other.context.started == 1
        assert self.best is not None
        assert other.best is not None
        assert (self.best.epoch, self.best.metrics) == (other.best.epoch, other.best.metrics)
        for mine, theirs in ((self.best.weights, other.best.weights), (self.weights, other.weights)):
            assert mine.keys() == theirs.keys()
            assert all(torch.equal(mine[name], theirs[name]) for name in mine)


@pytest.mark.parametrize("hyperparameters", [FULL, SAMPLED], ids=["full", "sampled"])
@pytest.mark.parametrize("steps_into_the_epoch", [0, 2])
def test_a_training_stopped_in_any_epoch_goes_on_as_if_it_had_not_been(
    make_context: ContextFactory, tmp_path: Path, hyperparameters: Mapping[str, Value], steps_into_the_epoch: int
) -> None:
    whole = Outcome(make_context(**hyperparameters), None)
    steps = whole.context.asked // EPOCHS
    for epochs in range(1, EPOCHS):
        folder = tmp_path / f"{epochs}-{steps_into_the_epoch}"
        stopped = make_context(**hyperparameters)
        stopped.stop_after_steps = epochs * steps + steps_into_the_epoch
        assert Outcome(stopped, folder).context.reports == whole.context.reports[:epochs]
        Outcome(make_context(**hyperparameters), folder).assert_equal(whole)


@pytest.mark.parametrize("hyperparameters", [FULL, SAMPLED], ids=["full", "sampled"])
def test_a_training_that_fails_in_the_middle_of_every_epoch_gets_there_all_the_same(
    make_context: ContextFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hyperparameters: Mapping[str, Value]
) -> None:
    whole = Outcome(make_context(**hyperparameters), None)
    steps = whole.context.asked // EPOCHS
    for attempt in range(EPOCHS):
        with monkeypatch.context() as patched:
            left = steps // 2 + (steps if attempt else 0)  # each attempt ends an epoch, but for the first
            patched.setattr(training_job, "chunk_loss", _failing_after(left))
            context = make_context(**hyperparameters)
            with pytest.raises(ConnectionError):
                Outcome(context, tmp_path / "kept")
        assert context.reports == whole.context.reports[:attempt]
    Outcome(make_context(**hyperparameters), tmp_path / "kept").assert_equal(whole)


def _failing_after(calls: int) -> Callable[..., Any]:
    made = 0

    def fail(*arguments: Any) -> Any:
        nonlocal made
        made += 1
        if made > calls:
            raise ConnectionError
        return chunk_loss(*arguments)

    return fail


def test_an_epoch_whose_report_fails_is_trained_once_more(make_context: ContextFactory, tmp_path: Path) -> None:
    class Refusing(RecordingContext):
        def report(self, step: int, metrics: Mapping[str, float]) -> None:
            if step == 2:
                raise ConnectionError
            super().report(step, metrics)

    context = make_context(**FULL)
    with pytest.raises(ConnectionError):
        Outcome(Refusing(**vars(context)), tmp_path / "kept")
    Outcome(make_context(**FULL), tmp_path / "kept").assert_equal(Outcome(make_context(**FULL), None))


def test_a_finished_training_is_reported_once_more_without_a_step(make_context: ContextFactory, tmp_path: Path) -> None:
    first = Outcome(make_context(**FULL), tmp_path / "kept")
    again = Outcome(make_context(**FULL), tmp_path / "kept")
    again.assert_equal(first)
    assert again.context.asked == 0


def test_patience_goes_on_counting(make_context: ContextFactory, tmp_path: Path) -> None:
    impatient: Mapping[str, Value] = {**FULL, "epochs": 12, "patience": 2, "learning_rate": 0.3}
    whole = Outcome(make_context(**impatient), None)
    assert whole.best is not None
    assert whole.best.epoch + 2 == len(whole.context.reports) < 12
    stopped = make_context(**impatient)
    stopped.stop_after_steps = whole.context.asked - 1
    assert len(Outcome(stopped, tmp_path / "kept").context.reports) == len(whole.context.reports) - 1
    Outcome(make_context(**impatient), tmp_path / "kept").assert_equal(whole)


@pytest.mark.parametrize(
    "change",
    [{"hidden_dimension": 9}, {"epochs": 3}, {"own_items": False}, {"truth": "last_item"}, {"seed": 2}],
    ids=lambda change: next(iter(change)),
)
def test_a_checkpoint_of_other_hyperparameters_or_another_seed_is_not_taken_up(
    make_context: ContextFactory, tmp_path: Path, caplog: pytest.LogCaptureFixture, change: dict[str, Any]
) -> None:
    Outcome(make_context(**FULL), tmp_path / "kept")
    changed = Outcome(make_context(**{**FULL, **change}), tmp_path / "kept")
    assert "is of another training or version, training starts anew" in caplog.text
    changed.assert_equal(Outcome(make_context(**{**FULL, **change}), None))


@pytest.mark.parametrize("attribute", ["split_seed", "objective_metric", "channels"])
def test_a_checkpoint_of_other_data_or_another_question_is_not_taken_up(
    make_context: ContextFactory, tmp_path: Path, caplog: pytest.LogCaptureFixture, attribute: str
) -> None:
    other = make_context(str(write_interactions(tmp_path / "other.csv", seed=9)), **FULL)
    other.split_seed, other.objective_metric = 2, "train_loss"
    Outcome(make_context(**FULL), tmp_path / "kept")
    changed, fresh = make_context(**FULL), make_context(**FULL)
    for context in (changed, fresh):
        setattr(context, attribute, getattr(other, attribute))
    Outcome(changed, tmp_path / "kept").assert_equal(Outcome(fresh, None))
    assert "is of another training or version, training starts anew" in caplog.text


class _Code:
    """Runs when unpickled carelessly."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.trace,)


def _saved(content: object) -> bytes:
    file = io.BytesIO()
    torch.save(content, file)
    return file.getvalue()


def _assert_ignored(folder: Path, content: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """That a file with this content is no checkpoint, and that this is said once."""
    caplog.clear()
    (folder / FILE).write_bytes(content)
    assert checkpoint.load_checkpoint(folder, "identity") is None
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "training starts anew" in caplog.text


def test_a_truncated_checkpoint_is_not_taken_up(
    make_context: ContextFactory, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = Outcome(make_context(**FULL), tmp_path)
    content = (tmp_path / FILE).read_bytes()
    for length in range(0, len(content), 997):
        _assert_ignored(tmp_path, content[:length], caplog)
    (tmp_path / FILE).write_bytes(content[:-10])
    Outcome(make_context(**FULL), tmp_path).assert_equal(whole)


def test_code_in_a_checkpoint_is_not_run(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    content = {"format_version": checkpoint.FORMAT_VERSION, "identity": "identity", "weights": _Code(tmp_path / "run")}
    for written in (_saved(content), pickle.dumps(content, 2), pickle.dumps(_Code(tmp_path / "run"), 2)):
        _assert_ignored(tmp_path, written, caplog)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("content", [{}, [1, 2], {"format_version": 1}, {"format_version": 2, "identity": "identity"}])
def test_a_file_that_holds_something_else_is_not_taken_up(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: object
) -> None:
    _assert_ignored(tmp_path, _saved(content), caplog)


@pytest.mark.parametrize("content", [_saved(torch.ones(3)), _saved("text"), b"R" * 9, b"\x80\x02J\x00"])
def test_garbage_is_not_taken_up(tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes) -> None:
    _assert_ignored(tmp_path, content, caplog)


def test_a_checkpoint_being_written_is_never_visible(
    make_context: ContextFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, folder = torch.save, tmp_path / "kept"
    seen: list[tuple[int, set[str]]] = []  # epochs in the visible checkpoint, and what else is there

    def write_half_and_look(content: object, file: io.BufferedWriter) -> None:
        file.write(b"half")
        file.flush()
        visible = folder / FILE
        epochs = len(torch.load(visible, weights_only=True)["reports"]) if visible.exists() else 0
        seen.append((epochs, {path.name for path in folder.iterdir()} - {FILE}))
        if len(seen) == 3:
            raise OSError(28, "No space left on device")
        file.seek(0)
        plain(content, file)

    whole = Outcome(make_context(**FULL), None)
    with monkeypatch.context() as patched:
        patched.setattr(torch, "save", write_half_and_look)
        with pytest.raises(OSError, match="No space left"):
            Outcome(make_context(**FULL), folder)
    assert seen == [(epochs, {f".{FILE}.writing"}) for epochs in range(3)]
    Outcome(make_context(**FULL), folder).assert_equal(whole)
    assert [path.name for path in folder.iterdir()] == [FILE]
