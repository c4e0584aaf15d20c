"""The recipe for new items, end to end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from hrnn_tuner.algorithms import DataChannel, load_algorithms
from hrnn_tuner.algorithms.contract import DataError
from hrnn_tuner.algorithms.hrnn_coldstart import ALGORITHM
from tests.support.planted_metadata import START, Planted, write_planted
from tests.support.tables import write_table
from tests.unit.hrnn.context import ContextFactory, RecordingContext, new_context
from worker_service.hrnn.recommender import HrnnRecommender
from worker_service.hrnn.trainer import ColdstartTrainer

NEW_ITEMS = 112
HISTORY = [("i0", START), ("i5", START + 60)]


def _train(context: RecordingContext) -> RecordingContext:
    ColdstartTrainer().train(context)
    return context


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    """Data in which some of the new items were used, each of them once or twice, at the end of a history."""
    planted = write_planted(tmp_path_factory.mktemp("planted"), new_items=NEW_ITEMS)
    path = Path(planted.interactions.uri)
    rows = path.read_text().splitlines()
    last = max(int(row.rsplit(",", 1)[1]) for row in rows[1:])
    used = [f"u{place % 90},new{place % 60},{last + place}" for place in range(90)]
    path.write_text("\n".join([*rows, *used]) + "\n")
    return planted


@pytest.fixture(scope="module")
def trained(planted: Planted, tmp_path_factory: pytest.TempPathFactory) -> RecordingContext:
    folder, channels = tmp_path_factory.mktemp("trained"), planted.channels("interactions", "users", "items")
    return _train(new_context(folder, channels, algorithm=ALGORITHM, hidden_dimension=16, epochs=8, patience=8))


@pytest.fixture(scope="module")
def recommender(trained: RecordingContext) -> HrnnRecommender:
    return HrnnRecommender(trained.artifact_dir)


def test_new_items_only_are_recommended_and_their_scores_sum_to_one(recommender: HrnnRecommender) -> None:
    found = recommender.recommend(HISTORY, None, 1000)
    assert {item.item_id for item in found} == {f"new{item}" for item in range(NEW_ITEMS)}
    assert sum(item.score for item in found) == pytest.approx(1.0, abs=1e-5)
    assert [item.score for item in found] == sorted((item.score for item in found), reverse=True)


def test_new_items_of_the_right_category_are_ranked_above_those_of_a_wrong_one(recommender: HrnnRecommender) -> None:
    found = recommender.recommend(HISTORY, START + 120, 1000)
    right = [int(item.item_id.removeprefix("new")) % 4 == 2 for item in found]
    assert all(right[:20])  # of 28
    assert not any(right[60:])


def test_a_user_without_a_history_gets_new_items_too(recommender: HrnnRecommender, planted: Planted) -> None:
    found = recommender.recommend_for_user("nobody", planted.interactions, 1000)
    assert {item.item_id for item in found} == {f"new{item}" for item in range(NEW_ITEMS)}


def test_seen_new_items_are_left_out_on_wish(recommender: HrnnRecommender) -> None:
    found = recommender.recommend([*HISTORY, ("new3", START + 90)], None, 1000, filter_seen=True)
    assert {item.item_id for item in found} == {f"new{item}" for item in range(NEW_ITEMS) if item != 3}


def test_new_items_have_no_identity(trained: RecordingContext) -> None:
    tensors = load_file(trained.artifact_dir / "model.safetensors")
    items = json.loads((trained.artifact_dir / "items.json").read_text())
    new = torch.tensor([name.startswith("new") for name in items])
    assert torch.equal(tensors["recommendable"], new)
    assert torch.equal(tensors["metadata.identified"][:, 0] == 0, new)


def test_the_manifest_tells_how_well_new_items_were_found(trained: RecordingContext) -> None:
    manifest = json.loads((trained.artifact_dir / "manifest.json").read_text())
    assert manifest["algorithm"] == "hrnn-coldstart"
    figures = manifest["new_items"]
    assert figures["count"] == NEW_ITEMS
    assert figures["queries"] > 0
    assert set(figures["metrics"]) == set(manifest["test_metrics"])


def test_metadata_alone_are_measured_and_learn(trained: RecordingContext) -> None:
    measured = [metrics["ndcg_truth_at_25"] for _, metrics in trained.reports]
    assert max(measured) > 1.5 * measured[0]
    assert {metric.name for metric in ALGORITHM.metrics} == set(trained.reports[0][1])


def test_brand_new_items_that_nobody_used_can_be_trained_with(make_context: ContextFactory, tmp_path: Path) -> None:
    planted = write_planted(tmp_path / "planted", new_items=NEW_ITEMS)
    context = _train(make_context(algorithm=ALGORITHM, channels=planted.channels("interactions", "items"), epochs=1))
    assert json.loads((context.artifact_dir / "manifest.json").read_text())["new_items"] == {
        "count": NEW_ITEMS,
        "queries": 0,
        "metrics": None,
    }


def test_too_few_new_items_fail_before_training_with_the_number_found(
    make_context: ContextFactory, tmp_path: Path
) -> None:
    planted = write_planted(tmp_path / "planted", new_items=99)
    context = make_context(algorithm=ALGORITHM, channels=planted.channels("interactions", "items"))
    with pytest.raises(DataError, match=r"there are 99 cold items: .* allowed: 100 to 80,000"):
        _train(context)
    assert context.started == 0


def test_items_are_needed(make_context: ContextFactory) -> None:
    with pytest.raises(DataError, match="the channel 'items' is missing; given: interactions"):
        _train(make_context(algorithm=ALGORITHM))


def test_the_same_seed_gives_the_same_model(make_context: ContextFactory, planted: Planted) -> None:
    channels = planted.channels("interactions", "items")
    first, second = (_train(make_context(algorithm=ALGORITHM, channels=channels, epochs=1)) for _ in range(2))
    assert first.reports == second.reports


def test_the_current_time_may_decide(make_context: ContextFactory, tmp_path: Path) -> None:
    planted = write_planted(tmp_path / "planted", new_items=NEW_ITEMS)
    channels = planted.channels("interactions", "items")
    context = make_context(algorithm=ALGORITHM, channels=channels, cold_start_relative_from="currentTime")
    with pytest.raises(DataError, match=r"there are 0 cold items: .* days before the current time"):
        _train(context)  # the data are of 2020


def test_the_declared_defaults_and_paths(trained: RecordingContext) -> None:
    defaults = ALGORITHM.defaults()
    assert (defaults["hidden_dimension"], defaults["cold_start_max_interactions"]) == (149, 15)
    assert (defaults["cold_start_max_duration"], defaults["cold_start_relative_from"]) == (5.0, "latestItem")
    registry = load_algorithms(["hrnn_tuner.algorithms.hrnn_coldstart:ALGORITHM"])
    assert isinstance(registry.trainer("hrnn-coldstart"), ColdstartTrainer)
    assert isinstance(registry.recommender("hrnn-coldstart", str(trained.artifact_dir)), HrnnRecommender)


def test_an_item_outside_the_items_data_is_read_and_never_recommended(
    recommender: HrnnRecommender, tmp_path: Path
) -> None:
    header = ("USER_ID", "ITEM_ID", "TIMESTAMP")
    path = write_table(tmp_path / "few.csv", header, [("ann", "never-seen", START), ("ann", "i0", START + 1)])
    found = recommender.recommend_for_user("ann", DataChannel(str(path)), 5)
    assert all(item.item_id.startswith("new") for item in found)
