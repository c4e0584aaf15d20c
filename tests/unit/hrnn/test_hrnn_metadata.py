"""The recipe with metadata, end to end, on data in which metadata decide what comes next."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from hrnn_tuner.algorithms import DataChannel, load_algorithms
from hrnn_tuner.algorithms.contract import AlgorithmError, DataError
from hrnn_tuner.algorithms.hrnn_metadata import ALGORITHM
from tests.support.planted_metadata import START, Planted, write_planted, write_planted_context
from tests.support.tables import write_table
from tests.unit.hrnn.context import ContextFactory, RecordingContext, new_context
from worker_service.hrnn.recommender import HrnnRecommender
from worker_service.hrnn.trainer import HrnnTrainer, MetadataTrainer

#: After an item of category 0 and one of category 1, on a shelf that is told by neither.
HISTORY = [("i0", START), ("i5", START + 60)]
LEARNING: Mapping[str, Any] = {"hidden_dimension": 16, "epochs": 8, "patience": 8}


def _train(context: RecordingContext) -> RecordingContext:
    MetadataTrainer().train(context)
    return context


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    return write_planted(tmp_path_factory.mktemp("planted"), new_items=16)


@pytest.fixture(scope="module")
def trained(planted: Planted, tmp_path_factory: pytest.TempPathFactory) -> RecordingContext:
    channels = planted.channels("interactions", "users", "items")
    return _train(new_context(tmp_path_factory.mktemp("trained"), channels, algorithm=ALGORITHM, **LEARNING))


@pytest.fixture(scope="module")
def recommender(trained: RecordingContext) -> HrnnRecommender:
    return HrnnRecommender(trained.artifact_dir)


def _ranks(recommender: HrnnRecommender, user: Mapping[str, str] | None = None) -> dict[str, int]:
    found = recommender.recommend(HISTORY, START + 120, 1000, user=user)
    return {item.item_id: rank for rank, item in enumerate(found)}


def test_every_epoch_reports_every_declared_metric(trained: RecordingContext) -> None:
    assert [step for step, _ in trained.reports] == list(range(1, 9))
    for _, metrics in trained.reports:
        assert set(metrics) == {metric.name for metric in ALGORITHM.metrics}


def test_it_predicts_better_than_the_recipe_without_metadata(planted: Planted, trained: RecordingContext) -> None:
    folder = trained.artifact_dir.parent
    plain = new_context(folder, planted.channels("interactions"), number=2, **LEARNING)
    HrnnTrainer().train(plain)

    def best(context: RecordingContext) -> float:
        return max(metrics["ndcg_truth_at_25"] for _, metrics in context.reports)

    assert best(trained) > 1.2 * best(plain)


def test_an_item_that_nobody_used_is_recommended_by_its_metadata(recommender: HrnnRecommender) -> None:
    ranks = _ranks(recommender)
    new = [f"new{item}" for item in range(16)]
    assert set(new) <= set(ranks)
    wanted = [ranks[name] for place, name in enumerate(new) if place % 4 == 2]
    assert max(wanted) < min(ranks[name] for name in new if ranks[name] not in wanted)


def test_metadata_of_a_user_say_what_kind_of_item_is_next(recommender: HrnnRecommender) -> None:
    for shelf in (0, 1):
        ranks = _ranks(recommender, user={"SHELF": f"s{shelf}", "AGE": "40"})
        best = sorted((ranks[f"i{item}"], item) for item in range(80))[:5]
        assert all(item // 4 % 2 == shelf for _, item in best)


def test_a_user_of_the_data_gets_what_history_and_metadata_give(
    recommender: HrnnRecommender, planted: Planted, tmp_path: Path
) -> None:
    header = ("USER_ID", "ITEM_ID", "TIMESTAMP")
    interactions = DataChannel(str(write_table(tmp_path / "few.csv", header, [("ann", *event) for event in HISTORY])))
    users = DataChannel(str(write_table(tmp_path / "users.csv", ("USER_ID", "AGE", "SHELF"), [("ann", None, "s1")])))
    known = recommender.recommend_for_user("ann", interactions, 5, users=users)
    assert known == recommender.recommend(HISTORY, None, 5, user={"SHELF": "s1"})
    assert recommender.recommend_for_user("ann", interactions, 5) == recommender.recommend(HISTORY, None, 5) != known
    missing = recommender.recommend_for_user("ann", interactions, 5, users=planted.users)
    assert missing == recommender.recommend(HISTORY, None, 5, user={})


def test_a_live_user_ends_where_the_whole_history_does(recommender: HrnnRecommender) -> None:
    live = recommender.user(user={"SHELF": "s0"})
    for item, time in HISTORY:
        live.add(item, time)
    whole = recommender.recommend(HISTORY, START + 120, 100, user={"SHELF": "s0"})
    shares = {item.item_id: item.score for item in whole}
    assert {item.item_id: item.score for item in live.recommend(START + 120, 100)} == pytest.approx(shares, abs=1e-6)


def test_metadata_that_the_model_does_not_have_are_errors(recommender: HrnnRecommender) -> None:
    with pytest.raises(DataError, match="unknown metadata columns: HEIGHT; known: AGE, SHELF"):
        recommender.recommend(HISTORY, None, 5, user={"HEIGHT": "1"})
    with pytest.raises(DataError, match="has AGE 'old' in row 1; allowed: a number"):
        recommender.recommend(HISTORY, None, 5, user={"AGE": "old"})
    with pytest.raises(DataError, match="was trained without context"):
        recommender.recommend(HISTORY, None, 5, context={"DEVICE": "tv"})


def test_the_context_of_a_request_says_what_kind_of_item_is_next(tmp_path: Path) -> None:
    channel = DataChannel(str(write_planted_context(tmp_path / "context.csv")))
    context = _train(new_context(tmp_path, {"interactions": channel}, algorithm=ALGORITHM, **LEARNING))
    recommender = HrnnRecommender(context.artifact_dir)
    for device, odd in (("tv", 0), ("phone", 1)):
        found = recommender.recommend(HISTORY, None, 8, context={"DEVICE": device})
        assert all(int(item.item_id[1:]) % 2 == odd for item in found)
        by_data = recommender.recommend_for_user("u3", channel, 8, context={"DEVICE": device})
        assert all(int(item.item_id[1:]) % 2 == odd for item in by_data)


def test_the_contexts_of_a_history_are_read_from_the_data_as_they_are_given_by_hand(tmp_path: Path) -> None:
    channel = DataChannel(str(write_planted_context(tmp_path / "context.csv")))
    context = _train(new_context(tmp_path, {"interactions": channel}, algorithm=ALGORITHM, epochs=1))
    recommender = HrnnRecommender(context.artifact_dir)
    header = ("USER_ID", "ITEM_ID", "TIMESTAMP", "DEVICE")
    events = [("ann", "i0", START, "tv"), ("bob", "i1", START, "phone"), ("ann", "i2", START + 60, None)]
    few = DataChannel(str(write_table(tmp_path / "few.csv", header, events)))
    contexts = [{"DEVICE": ""}, {"DEVICE": "tv"}]
    by_hand = recommender.recommend(
        [("i2", START + 60), ("i0", START)], None, 9, event_contexts=contexts, context={"DEVICE": "tv"}
    )
    assert recommender.recommend_for_user("ann", few, 9, context={"DEVICE": "tv"}) == by_hand
    live = recommender.user()
    live.add("i0", START, context={"DEVICE": "tv"})
    live.add("i2", START + 60, context={"DEVICE": ""})
    shares = {item.item_id: item.score for item in by_hand}
    streamed = live.recommend(None, 9, context={"DEVICE": "tv"})
    assert {item.item_id: item.score for item in streamed} == pytest.approx(shares, abs=1e-6)
    assert recommender.recommend([("i2", START + 60), ("i0", START)], None, 9) != by_hand
    with pytest.raises(ValueError, match="got 2 contexts for 1 events"):
        recommender.recommend([("i0", START)], None, 9, event_contexts=contexts)


def test_the_same_seed_gives_the_same_model_and_another_seed_another(
    make_context: ContextFactory, planted: Planted
) -> None:
    channels = planted.channels("interactions", "users", "items")
    runs = [
        _train(make_context(algorithm=ALGORITHM, channels=channels, seed=seed, epochs=1)).reports for seed in (5, 5, 6)
    ]
    assert runs[0] == runs[1] != runs[2]


def test_the_artifact_says_what_it_is_and_keeps_the_encodings(trained: RecordingContext) -> None:
    names = sorted(path.name for path in trained.artifact_dir.iterdir())
    assert names == ["features.json", "items.json", "manifest.json", "model.safetensors"]
    manifest = json.loads((trained.artifact_dir / "manifest.json").read_text())
    assert manifest["algorithm"] == "hrnn-metadata"
    assert manifest["test_metrics"].keys() == set(manifest["metrics"]) - {"train_loss"}
    assert len(json.loads((trained.artifact_dir / "items.json").read_text())) == 80 + 16
    assert set(json.loads((trained.artifact_dir / "features.json").read_text())) == {"items", "users"}


def test_a_model_of_another_algorithm_is_refused_by_name(trained: RecordingContext, tmp_path: Path) -> None:
    for path in trained.artifact_dir.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps({**manifest, "algorithm": "crystal-ball"}))
    says = "is of algorithm 'crystal-ball'; supported here: hrnn, hrnn-metadata, hrnn-coldstart"
    with pytest.raises(AlgorithmError, match=says):
        HrnnRecommender(tmp_path)


def test_without_any_metadata_the_training_fails_before_it_starts(make_context: ContextFactory) -> None:
    context = make_context(algorithm=ALGORITHM)
    with pytest.raises(DataError, match="there are no metadata: give a channel 'users' or 'items', or interactions"):
        _train(context)
    assert context.started == 0


def test_the_declared_paths_resolve(trained: RecordingContext) -> None:
    registry = load_algorithms(["hrnn_tuner.algorithms.hrnn_metadata:ALGORITHM"])
    assert isinstance(registry.trainer("hrnn-metadata"), MetadataTrainer)
    assert isinstance(registry.recommender("hrnn-metadata", str(trained.artifact_dir)), HrnnRecommender)
