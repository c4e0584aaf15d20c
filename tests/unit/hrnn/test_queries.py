from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.support.interactions import write_rows
from worker_service.hrnn.data.cache import load_interactions
from worker_service.hrnn.data.queries import Queries, build_queries
from worker_service.hrnn.data.sessions import DAY_S, GAP, SessionRule
from worker_service.hrnn.evaluation.model_scorer import ModelScorer
from worker_service.hrnn.network.model import HrnnModel, ModelShape

RULE = SessionRule(session_gap_s=1800, long_break_s=DAY_S, typical_start_gap_s=7200)


def _queries(tmp_path: Path, rows: list[tuple[str, str, int]], known: set[str]) -> tuple[Queries, dict[str, int]]:
    """Queries for all users of the rows, with the catalogue numbers of the known items."""
    interactions = load_interactions(str(write_rows(tmp_path / "data.csv", rows)), None)
    numbers: dict[str, int] = {}
    to_catalogue = np.zeros(len(interactions.items), np.int64)
    for place, item in enumerate(interactions.items):
        if item in known:
            to_catalogue[place] = numbers[item] = len(numbers) + 1
    return build_queries(interactions, np.arange(len(interactions.users)), to_catalogue, RULE, 1000), numbers


def test_the_newest_tenth_is_the_truth_and_the_rest_the_history(tmp_path: Path) -> None:
    rows = [("u", f"i{n:02}", 100 * n) for n in range(20)]
    queries, numbers = _queries(tmp_path, rows, {row[1] for row in rows})
    assert queries.items[0].tolist() == [numbers[f"i{n:02}"] for n in range(18)]
    assert queries.truth[0].tolist() == [numbers["i18"], numbers["i19"]]


def test_the_query_knows_the_time_of_the_first_held_out_event_and_nothing_else_of_it(tmp_path: Path) -> None:
    rows = [("u", f"i{n}", 60 * n) for n in range(5)] + [("u", "i9", 240 + 600)]
    queries, _ = _queries(tmp_path, rows, {"i0", "i1", "i2", "i3", "i4"})
    assert queries.ask_features[0, GAP] == pytest.approx(np.log1p(10) / 10)


def test_users_with_one_event_are_not_asked_about(tmp_path: Path) -> None:
    queries, _ = _queries(tmp_path, [("a", "x", 1), ("b", "x", 1), ("b", "x", 2)], {"x"})
    assert len(queries) == 1


def test_unknown_items_leave_the_history_and_stay_a_miss_in_the_truth(tmp_path: Path) -> None:
    rows = [("u", "x", 1), ("u", "new", 2), ("u", "y", 3), ("u", "other", 4)]
    queries, numbers = _queries(tmp_path, rows, {"x", "y"})
    assert queries.items[0].tolist() == [numbers["x"], numbers["y"]]
    assert queries.truth[0].tolist() == []


def test_a_repeated_item_counts_once_in_the_truth(tmp_path: Path) -> None:
    rows = [("u", "x", n) for n in range(20)]
    queries, numbers = _queries(tmp_path, rows, {"x"})
    assert queries.truth[0].tolist() == [numbers["x"]]


def test_scores_of_a_query_do_not_depend_on_the_queries_beside_it(tmp_path: Path) -> None:
    rows = [(f"u{user}", f"i{(user * 7 + n) % 11}", 900 * n) for user in range(6) for n in range(3 + 5 * user)]
    rows += [("stranger", "new", 1), ("stranger", "i1", 2)]
    together, _ = _queries(tmp_path, rows, {f"i{n}" for n in range(11)})
    model = HrnnModel(ModelShape(11, 6, "hrnn", use_query_gap=True), torch.Generator().manual_seed(0))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.3 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1))
    scores = ModelScorer(model)(together)
    assert len(together) == 7
    for place in range(len(together)):
        alone = together[place : place + 1]
        torch.testing.assert_close(ModelScorer(model)(alone)[0], scores[place])


def test_an_empty_history_is_scored_from_the_state_of_a_user_without_a_past(tmp_path: Path) -> None:
    queries, _ = _queries(tmp_path, [("u", "new", 1), ("u", "x", 2)], {"x", "y"})
    model = HrnnModel(ModelShape(2, 4, "hrnn", use_query_gap=False), torch.Generator(), torch.tensor([3.0, 0.0]))
    with torch.no_grad():
        model.cell.session.bias_ih += 1.0  # a step from zeros would leave zeros behind
    assert torch.equal(ModelScorer(model)(queries)[0], model.bias.detach())
