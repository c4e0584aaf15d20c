from __future__ import annotations

import bisect
import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests.support.interactions import make_interactions, write_rows
from tests.unit.hrnn.context import ContextFactory, RecordingContext
from worker_service.hrnn.data import own_history
from worker_service.hrnn.data.cache import load_interactions
from worker_service.hrnn.data.dataset import TrainingData, training_data
from worker_service.hrnn.data.own_history import OwnHistories, OwnItems, own_items
from worker_service.hrnn.data.queries import Queries, ask_features
from worker_service.hrnn.data.sessions import DAY_S, SessionRule
from worker_service.hrnn.evaluation.model_scorer import ModelScorer
from worker_service.hrnn.network.model import HrnnModel, ModelShape
from worker_service.hrnn.settings import HrnnSettings
from worker_service.hrnn.training.streams import Chunk
from worker_service.hrnn.training.training_job import HrnnTraining
from worker_service.hrnn.user_history import UserHistory

RULE = SessionRule(session_gap_s=1800, long_break_s=DAY_S, typical_start_gap_s=7200)
History = list[tuple[int, int]]  # catalogue number and Unix seconds of each event
OwnRow = tuple[int, int, int, int]  # catalogue row, and buckets of events, age and habit


def _expected(history: History, ask_time: int | None, window: int) -> set[OwnRow]:
    """What the features of one asking are by definition, with nothing clever in it."""
    found = set()
    latest_time = history[-1][1] if history else 0
    now = latest_time if ask_time is None else max(ask_time, latest_time)
    for item in {item for item, _ in history[-window:]}:
        places = [place for place, event in enumerate(history) if event[0] == item]
        times = [time for _, time in history[places[-1] :]] + [now]
        sessions = sum(later - earlier > RULE.session_gap_s for earlier, later in itertools.pairwise(times))
        habit = bisect.bisect_left(own_history.SESSION_BOUNDS, sessions) * (len(own_history.COUNT_BOUNDS) + 1)
        found.add(
            (
                item - 1,
                bisect.bisect_left(own_history.EVENT_BOUNDS, len(history) - 1 - places[-1]),
                bisect.bisect_left(own_history.AGE_BOUNDS, now - times[0]),
                habit + bisect.bisect_left(own_history.COUNT_BOUNDS, len(places)),
            )
        )
    return found


def _by_asking(own: OwnItems) -> list[set[OwnRow]]:
    """The same of a result, and that its form is right."""
    rows: list[set[OwnRow]] = []
    for asking, (start, end) in enumerate(zip(own.bounds[:-1].tolist(), own.bounds[1:].tolist(), strict=True)):
        assert own.row[start:end].tolist() == [asking] * (end - start)
        columns = (column[start:end].tolist() for column in (own.item, own.events, own.age, own.habit))
        rows.append(set(zip(*columns, strict=True)))
        assert len({row[0] for row in rows[-1]}) == end - start  # each item once
    assert own.bounds[-1] == len(own.item)
    return rows


def _numbers(history: History) -> tuple[np.ndarray, np.ndarray]:
    return np.array([item for item, _ in history], np.int64), np.array([time for _, time in history], np.int64)


_GAP_S = st.sampled_from([0, 1, 59, 60, 61, 1800, 1801, 5000, DAY_S, 10_000_000])
EVENT_BOUNDS = st.lists(st.tuples(st.integers(1, 6), _GAP_S), max_size=40)


@st.composite
def _history(draw: st.DrawFn) -> History:
    events = draw(EVENT_BOUNDS)
    start = draw(st.integers(0, 2_000_000_000))
    times = start + np.cumsum([gap for _, gap in events], dtype=np.int64)
    return list(zip([item for item, _ in events], times.tolist(), strict=True))


@settings(max_examples=150)
@given(histories=st.lists(_history(), min_size=1, max_size=4), window=st.integers(1, 50), data=st.data())
def test_items_of_random_histories_are_those_of_the_definition(
    histories: list[History], window: int, data: st.DataObject
) -> None:
    offsets = np.cumsum([0, *map(len, histories)])
    askings: list[tuple[int, int]] = [(0, 0)]  # history, and events of it that have been read
    askings += data.draw(st.lists(st.integers(0, len(histories) - 1).flatmap(_read_of(histories)), max_size=6))
    last = [int(offsets[history]) + read - 1 if read else -1 for history, read in askings]
    known = [histories[history][:read] for history, read in askings]
    since = st.sampled_from([-5000, -70, 0, 60, 1800, 1801, 40_000, 50_000_000])
    ask_times = (
        [(past[-1][1] if past else 0) + data.draw(since) for past in known] if data.draw(st.booleans()) else None
    )
    with mock.patch.object(own_history, "WINDOW", window):
        whole = OwnHistories(*_numbers(list(itertools.chain(*histories))), offsets, RULE, "cpu")
        found = whole.items_at(torch.tensor(last), None if ask_times is None else torch.tensor(ask_times))
    asked: Sequence[int | None] = ask_times or [None] * len(askings)
    assert _by_asking(found) == [_expected(past, now, window) for past, now in zip(known, asked, strict=True)]


def _read_of(histories: list[History]) -> Callable[[int], st.SearchStrategy[tuple[int, int]]]:
    """A strategy for one asking of a history."""
    return lambda history: st.tuples(st.just(history), st.integers(0, len(histories[history])))


def test_a_long_history_is_looked_at_through_the_window_and_counted_as_a_whole() -> None:
    rng = np.random.default_rng(0)
    old = [(9, 0), (9, 10), (8, 20)]
    history = old + [(int(item), 100 + 700 * n) for n, item in enumerate(rng.integers(1, 7, own_history.WINDOW - 1))]
    history += [(8, history[-1][1] + 5000)]
    items, times = _numbers(history)
    found = _by_asking(own_items([items], [times], None, RULE, "cpu"))[0]
    assert found == _expected(history, None, own_history.WINDOW)
    assert {row[0] for row in found} == {0, 1, 2, 3, 4, 5, 7}
    counts = {row[0]: row[3] % (len(own_history.COUNT_BOUNDS) + 1) for row in found}
    assert counts[7] == bisect.bisect_left(own_history.COUNT_BOUNDS, 2)  # one of the two is out of sight


def test_buckets_close_at_their_upper_ends() -> None:
    times = np.array([0, 100, 100, 2000])  # gaps of 100, 0 and 1900 seconds: the last starts a session
    found = own_items([np.array([1, 2, 3, 1])], [times], np.array([2060]), RULE, "cpu")
    sides = len(own_history.COUNT_BOUNDS) + 1
    assert _by_asking(found) == [{(1, 2, 3, 1 * sides), (2, 1, 3, 1 * sides), (0, 0, 1, 1)}]


def test_an_asking_before_the_newest_event_counts_as_made_with_it() -> None:
    items, times = [np.array([1, 2, 3])], [np.array([0, 100, 5000])]
    early, at_once = (own_items(items, times, now, RULE, "cpu") for now in (np.array([50]), np.array([5000])))
    assert all(torch.equal(one, other) for one, other in zip(early, at_once, strict=True))


def test_nobody_and_nothing_read_have_no_items() -> None:
    nothing = np.zeros(0, np.int64)
    own = own_items([nothing, nothing], [nothing, nothing], None, RULE, "cpu")
    assert own.bounds.tolist() == [0, 0, 0]
    assert len(own.row) == len(own.habit) == 0


def _training_askings(data: TrainingData, history: int) -> Iterator[tuple[slice, int]]:
    """For each step of a training history: the rows of the events read until then, and the row of its target."""
    start, end = data.events_offsets[history : history + 2].tolist()
    for target in range(start + 1, end):
        yield slice(start, target), target


@pytest.mark.parametrize("use_query_gap", [True, False])
@pytest.mark.parametrize("cell", ["hrnn", "flat"])
@torch.no_grad()
def test_training_evaluation_and_serving_look_at_the_same_items_and_give_the_same_scores(
    make_context: ContextFactory, tmp_path: Path, cell: str, use_query_gap: bool
) -> None:
    path = write_rows(tmp_path / "data.csv", make_interactions(30, 25, 12, seed=4))
    data, training = _training(make_context(str(path), cell=cell, use_query_gap=use_query_gap))
    model, positions = training.model, data.positions
    for parameter in model.parameters():
        parameter.add_(0.3 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    for history in range(0, len(positions.offsets) - 1, 6):
        steps = slice(*positions.offsets[history : history + 2].tolist())
        batch = training._tensors.batch(Chunk(np.arange(steps.start, steps.stop)[:, None]))
        outputs, _ = model.encode(batch.items, batch.features, model.initial_state(1), batch.marks)
        trained = model.scores(outputs[:, 0], batch.target_features, batch.own)
        askings = list(_training_askings(data, history))
        items = tuple(data.events_item[read].astype(np.int64) for read, _ in askings)
        times = tuple(data.events_time[read] for read, _ in askings)
        ask_times = positions.target_time[steps]
        asked = own_items(items, times, ask_times if use_query_gap else None, data.rule, "cpu")
        assert batch.own is not None
        assert all(torch.equal(mine, theirs) for mine, theirs in zip(batch.own, asked, strict=True))
        queries = Queries(
            items=items,
            times=times,
            features=tuple(positions.features[steps][: len(read)] for read in items),
            ask_times=ask_times,
            ask_features=positions.target_features[steps],
            truth=tuple(positions.target[steps][:, None]),
            truth_sizes=np.ones(len(items), np.int64),
            users=np.arange(len(items)),
        )
        torch.testing.assert_close(ModelScorer(model, data.rule)(queries), trained)
        torch.testing.assert_close(_streamed(model, data, askings), trained)


def _training(context: RecordingContext) -> tuple[TrainingData, HrnnTraining]:
    """A training job that has not begun, and what it learns from."""
    found = HrnnSettings.from_hyperparameters(context.hyperparameters)
    interactions = load_interactions(context.channels["interactions"], context.cache_dir)
    data = training_data(interactions, found, context.split_seed)
    return data, HrnnTraining(data, found, context)


def _streamed(model: HrnnModel, data: TrainingData, askings: list[tuple[slice, int]]) -> Tensor:
    """Scores of one history's askings, of a user whose events are read one by one."""
    user, scores = UserHistory(model, data.rule), []
    for read, target in askings:
        user.read(data.events_item[read][-1:].astype(np.int64), data.events_time[read][-1:])
        scores.append(user.scores(int(data.events_time[target])))
    return torch.stack(scores)


@torch.no_grad()
def test_a_model_that_is_not_to_know_the_time_of_asking_does_not_look_at_it() -> None:
    model = HrnnModel(ModelShape(5, 4, "hrnn", use_query_gap=False, own_items=True), torch.Generator().manual_seed(0))
    assert model.own_items is not None
    model.own_items.events.add_(torch.arange(2.0)[:, None])  # row 1 comes on top where the asking starts a session
    own = own_items([np.array([1, 2, 1])], [np.array([0, 5, 9])], None, RULE, "cpu")
    at_once, later = (torch.from_numpy(ask_features(RULE, 9, 9 + gap)[None]) for gap in (0, 5000))
    outputs = torch.ones(1, 4)
    assert torch.equal(model.scores(outputs, at_once, own), model.scores(outputs, later, own))


def _learnt_change(make_context: ContextFactory, path: Path) -> float:
    """How much a trained model adds to the scores of validation users' own items on average."""
    data, training = _training(make_context(str(path), dropout=0.0, patience=12, epochs=12))
    assert training.run() is not None
    asked = data.validation
    own = own_items(asked.items, asked.times, asked.ask_times, data.rule, "cpu")
    assert training.model.own_items is not None
    queries = torch.zeros(len(asked), training.model.shape.hidden_dimension)
    with torch.no_grad():
        added = training.model.own_items(own, queries, torch.from_numpy(asked.ask_features))
    return float(added.mean())


def test_own_items_are_lowered_where_nobody_repeats_and_raised_where_everybody_does(
    make_context: ContextFactory, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    never, always = [], []
    for user in range(100):
        items, few = rng.permutation(40)[:12], rng.permutation(40)[:3]
        for event in range(12):
            time = 1_600_000_000 + 600 * event
            never.append((f"u{user}", f"i{items[event]}", time))
            always.append((f"u{user}", f"i{few[rng.integers(3)]}", time))
    assert _learnt_change(make_context, write_rows(tmp_path / "never.csv", never)) < -1.0
    assert _learnt_change(make_context, write_rows(tmp_path / "always.csv", always)) > 1.0
