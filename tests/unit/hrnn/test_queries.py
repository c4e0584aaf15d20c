from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from hrnn_tuner.algorithms import DataChannel
from tests.support.interactions import write_rows
from worker_service.hrnn.data.cache import load_interactions
from worker_service.hrnn.data.queries import Asked, Queries, build_queries
from worker_service.hrnn.data.sessions import DAY_S, FIRST, GAP, SessionRule
from worker_service.hrnn.data.split import Truth
from worker_service.hrnn.evaluation.model_scorer import ModelScorer
from worker_service.hrnn.network.model import HrnnModel, ModelShape

RULE = SessionRule(session_gap_s=1800, long_break_s=DAY_S, typical_start_gap_s=7200)
Rows = list[tuple[str, str, int]]


def _ask(
    tmp_path: Path, rows: Rows, known: set[str], places: list[int] | None = None, longest: int = 1000
) -> tuple[Queries, dict[str, int]]:
    """Queries for all users of the rows, with the catalogue numbers of the known items.

    Asks about the newest tenth of every history with two events, or about single ``places`` of the first history.
    """
    interactions = load_interactions(DataChannel(str(write_rows(tmp_path / "data.csv", rows))), None)
    numbers: dict[str, int] = {}
    to_catalogue = np.zeros(len(interactions.items), np.int64)
    for place, item in enumerate(interactions.items):
        if item in known:
            to_catalogue[place] = numbers[item] = len(numbers) + 1
    if places is None:
        lengths, ends = np.diff(interactions.offsets), interactions.offsets[1:]
        users = np.flatnonzero(lengths >= 2)
        asked = Asked(users, ends[users] - Truth.NEWEST_TENTH.sizes(lengths[users]), ends[users])
    else:
        asked = Asked(np.zeros(len(places), np.int64), np.array(places), np.array(places) + 1)
    return build_queries(interactions, asked, to_catalogue, RULE, longest), numbers


def test_the_newest_tenth_is_the_truth_and_the_rest_the_history(tmp_path: Path) -> None:
    rows = [("u", f"i{n:02}", 100 * n) for n in range(20)]
    queries, numbers = _ask(tmp_path, rows, {row[1] for row in rows})
    assert queries.items[0].tolist() == [numbers[f"i{n:02}"] for n in range(18)]
    assert queries.truth[0].tolist() == [numbers["i18"], numbers["i19"]]


def test_the_query_knows_the_time_of_the_first_held_out_event_and_nothing_else_of_it(tmp_path: Path) -> None:
    rows = [("u", f"i{n}", 60 * n) for n in range(5)] + [("u", "i9", 240 + 600)]
    queries, _ = _ask(tmp_path, rows, {"i0", "i1", "i2", "i3", "i4"})
    assert queries.ask_features[0, GAP] == pytest.approx(np.log1p(10) / 10)


def test_unknown_items_leave_the_history_and_stay_a_miss_in_the_truth(tmp_path: Path) -> None:
    rows = [("u", "x", 1), ("u", "new", 2), ("u", "y", 3), ("u", "other", 4)]
    queries, numbers = _ask(tmp_path, rows, {"x", "y"})
    assert queries.items[0].tolist() == [numbers["x"], numbers["y"]]
    assert queries.truth[0].tolist() == []
    assert queries.truth_sizes.tolist() == [1]
    assert queries.unknown_truth_share == 1.0


def test_a_repeated_item_counts_once_in_the_truth(tmp_path: Path) -> None:
    rows = [("u", "x", n) for n in range(20)]
    queries, numbers = _ask(tmp_path, rows, {"x"})
    assert queries.truth[0].tolist() == [numbers["x"]]
    assert queries.truth_sizes.tolist() == [1]


def test_the_size_of_a_truth_counts_distinct_items_known_or_not(tmp_path: Path) -> None:
    rows = [("u", "x", n) for n in range(36)] + [("u", item, 40 + n) for n, item in enumerate(["x", "new", "new", "y"])]
    queries, numbers = _ask(tmp_path, rows, {"x", "y"})
    assert sorted(queries.truth[0].tolist()) == sorted([numbers["x"], numbers["y"]])
    assert queries.truth_sizes.tolist() == [3]
    assert queries.unknown_truth_share == pytest.approx(1 / 3)


def test_every_question_names_its_user_wherever_sorting_puts_it(tmp_path: Path) -> None:
    rows = [(f"u{user}", "x", n) for user, length in enumerate([5, 3, 9]) for n in range(length)]
    queries, _ = _ask(tmp_path, rows, {"x"})
    assert queries.users.tolist() == [1, 0, 2]
    assert queries[1:].users.tolist() == [0, 2]


def test_histories_of_one_user_grow_by_the_true_events_and_are_views_on_one_array(tmp_path: Path) -> None:
    rows = [("u", f"i{n}", 60 * n) for n in range(6)]
    queries, numbers = _ask(tmp_path, rows, {f"i{n}" for n in range(6)}, places=[2, 3, 5])
    for items, length in zip(queries.items, (2, 3, 5), strict=True):
        assert items.tolist() == [numbers[f"i{n}"] for n in range(length)]
    assert [truth.tolist() for truth in queries.truth] == [[numbers[f"i{n}"]] for n in (2, 3, 5)]
    assert queries.ask_times.tolist() == [120, 180, 300]
    for arrays in (queries.items, queries.times, queries.features):
        assert np.shares_memory(arrays[0], arrays[2])


def test_a_growing_history_equals_the_one_asked_about_alone(tmp_path: Path) -> None:
    rows = [("u", f"i{n % 4}", 2000 * n * n) for n in range(9)]
    known = {"i0", "i1", "i3"}
    together, _ = _ask(tmp_path, rows, known, places=[3, 6, 7])
    for place, row in enumerate([3, 6, 7]):
        alone, _ = _ask(tmp_path, rows, known, places=[row])
        assert together.items[place].tolist() == alone.items[0].tolist()
        assert together.features[place].tolist() == alone.features[0].tolist()
        assert together.ask_features[place].tolist() == alone.ask_features[0].tolist()


def test_a_long_history_keeps_its_newest_events_before_the_first_question_and_then_grows(tmp_path: Path) -> None:
    rows = [("u", f"i{n}", 60 * n) for n in range(8)]
    queries, numbers = _ask(tmp_path, rows, {f"i{n}" for n in range(8)}, places=[5, 7], longest=3)
    assert queries.items[0].tolist() == [numbers[f"i{n}"] for n in (2, 3, 4)]
    assert queries.items[1].tolist() == [numbers[f"i{n}"] for n in (2, 3, 4, 5, 6)]
    assert queries.features[1][:, FIRST].tolist() == [1, 0, 0, 0, 0]


def test_no_questions_make_no_queries(tmp_path: Path) -> None:
    queries, _ = _ask(tmp_path, [("u", "x", 1)], {"x"})
    assert len(queries) == 0
    assert queries.ask_features.shape == (0, 4)
    assert queries.unknown_truth_share == 0.0


def test_scores_of_a_query_do_not_depend_on_the_queries_beside_it(tmp_path: Path) -> None:
    rows = [(f"u{user}", f"i{(user * 7 + n) % 11}", 900 * n) for user in range(6) for n in range(3 + 5 * user)]
    rows += [("stranger", "new", 1), ("stranger", "i1", 2)]
    together, _ = _ask(tmp_path, rows, {f"i{n}" for n in range(11)})
    model = HrnnModel(ModelShape(11, 6, "hrnn", use_query_gap=True, own_items=True), torch.Generator().manual_seed(0))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    scores = ModelScorer(model, RULE)(together)
    assert len(together) == 7
    for place in range(len(together)):
        alone = together[place : place + 1]
        torch.testing.assert_close(ModelScorer(model, RULE)(alone)[0], scores[place])


def test_an_empty_history_is_scored_from_the_state_of_a_user_without_a_past(tmp_path: Path) -> None:
    queries, _ = _ask(tmp_path, [("u", "new", 1), ("u", "x", 2)], {"x", "y"})
    shape = ModelShape(2, 4, "hrnn", use_query_gap=False, own_items=True)
    model = HrnnModel(shape, torch.Generator(), torch.tensor([3.0, 0.0]))
    with torch.no_grad():
        model.cell.session.bias_ih.add_(1.0)  # a step from zeros would leave zeros behind
    assert torch.equal(ModelScorer(model, RULE)(queries)[0], model.bias.detach())
