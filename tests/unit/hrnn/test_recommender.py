from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from hrnn_tuner.algorithms import DataChannel, load_algorithms
from hrnn_tuner.algorithms.contract import AlgorithmError
from hrnn_tuner.algorithms.hrnn import ALGORITHM
from tests.support.interactions import write_rows
from tests.unit.hrnn.context import ContextFactory, RecordingContext
from worker_service.hrnn.artifact import load_artifact
from worker_service.hrnn.data.cache import load_interactions
from worker_service.hrnn.data.dataset import training_data
from worker_service.hrnn.evaluation.evaluate import evaluate
from worker_service.hrnn.evaluation.model_scorer import ModelScorer
from worker_service.hrnn.recommender import HrnnRecommender
from worker_service.hrnn.settings import HrnnSettings
from worker_service.hrnn.trainer import HrnnTrainer

HISTORY = [("i3", 1_600_000_000), ("i4", 1_600_000_060), ("i5", 1_600_100_000)]


@pytest.fixture
def trained(make_context: ContextFactory) -> RecordingContext:
    context = make_context()
    HrnnTrainer().train(context)
    return context


@pytest.fixture
def recommender(trained: RecordingContext) -> HrnnRecommender:
    return HrnnRecommender(trained.artifact_dir)


def test_the_saved_model_scores_as_the_trained_one_did(trained: RecordingContext) -> None:
    artifact = load_artifact(trained.artifact_dir, "cpu")
    interactions = load_interactions(trained.channels["interactions"], trained.cache_dir)
    data = training_data(interactions, HrnnSettings.from_hyperparameters(trained.hyperparameters), trained.split_seed)
    evaluation = evaluate(
        ModelScorer(artifact.model, artifact.rule), data.validation, len(data.catalogue), data.total_items
    )
    metrics = evaluation.metrics()
    reported = artifact.manifest["metrics"]
    assert {name: reported[name] for name in metrics} == dict(metrics)


def test_the_manifest_says_what_was_trained_on_what(trained: RecordingContext) -> None:
    manifest = json.loads((trained.artifact_dir / "manifest.json").read_text())
    assert manifest["hyperparameters"] == dict(trained.hyperparameters)
    assert dict(trained.reports)[manifest["epoch"]] == manifest["metrics"]
    assert set(manifest["test_metrics"]) == set(manifest["metrics"]) - {"train_loss"}
    assert (trained.cache_dir / "hrnn" / manifest["data_fingerprint"]).is_dir()
    assert set(manifest["versions"]) == {"hrnn_tuner", "torch", "numpy", "python"}


def test_an_artifact_is_three_files_without_pickle(trained: RecordingContext) -> None:
    assert sorted(path.name for path in trained.artifact_dir.iterdir()) == [
        "items.json",
        "manifest.json",
        "model.safetensors",
    ]


def test_recommendations_are_sorted_shares_of_the_whole_catalogue(recommender: HrnnRecommender) -> None:
    found = recommender.recommend(HISTORY, None, 1000)
    scores = [item.score for item in found]
    assert scores == sorted(scores, reverse=True)
    assert sum(scores) == pytest.approx(1.0, abs=1e-5)
    assert len({item.item_id for item in found}) == len(found) == 40


def test_at_most_k_items_are_recommended(recommender: HrnnRecommender) -> None:
    assert len(recommender.recommend(HISTORY, None, 7)) == 7


def test_less_than_one_item_is_an_error(recommender: HrnnRecommender) -> None:
    with pytest.raises(AlgorithmError, match="is 0; allowed: at least 1"):
        recommender.recommend(HISTORY, None, 0)


def test_seen_items_are_left_out_on_wish_only(recommender: HrnnRecommender) -> None:
    filtered = {item.item_id for item in recommender.recommend(HISTORY, None, 1000, filter_seen=True)}
    assert not filtered & {"i3", "i4", "i5"}
    assert len(filtered) == 37


def test_filtering_keeps_the_scores_of_the_other_items(recommender: HrnnRecommender) -> None:
    plain = {item.item_id: item.score for item in recommender.recommend(HISTORY, None, 1000)}
    for item in recommender.recommend(HISTORY, None, 1000, filter_seen=True):
        assert item.score == plain[item.item_id]


def test_a_user_of_the_data_gets_what_their_history_gives(
    recommender: HrnnRecommender, tmp_path: Path, trained: RecordingContext
) -> None:
    path = write_rows(tmp_path / "few.csv", [("ann", item, time) for item, time in reversed(HISTORY)])
    assert recommender.recommend_for_user("ann", DataChannel(str(path)), 5) == recommender.recommend(HISTORY, None, 5)


def test_an_unknown_user_gets_popular_items(recommender: HrnnRecommender, trained: RecordingContext) -> None:
    counts = load_file(trained.artifact_dir / "model.safetensors")["item_counts"]
    items = json.loads((trained.artifact_dir / "items.json").read_text())
    found = recommender.recommend_for_user("nobody", trained.channels["interactions"], 3)
    assert [item.item_id for item in found] == [items[row] for row in counts.topk(3).indices]
    assert all(0 < item.score < 1 for item in found)


def test_a_history_of_unknown_items_only_gets_popular_items(recommender: HrnnRecommender) -> None:
    assert recommender.recommend([("never-seen", 5)], None, 3) == recommender.recommend([], None, 3)


def test_unknown_items_and_duplicates_in_a_history_change_nothing(recommender: HrnnRecommender) -> None:
    noisy = [*HISTORY, ("never-seen", 1_600_000_030), HISTORY[0]]
    assert recommender.recommend(noisy, None, 5) == recommender.recommend(HISTORY, None, 5)


def test_the_time_of_the_request_matters(recommender: HrnnRecommender) -> None:
    soon = recommender.recommend(HISTORY, HISTORY[-1][1] + 1, 5)
    late = recommender.recommend(HISTORY, HISTORY[-1][1] + 10_000_000, 5)
    assert [item.score for item in soon] != [item.score for item in late]


def test_padding_is_never_recommended_whatever_its_weights(trained: RecordingContext) -> None:
    path = trained.artifact_dir / "model.safetensors"
    tensors = load_file(path)
    tensors["table"][0] = 1e6
    save_file(tensors, path)
    found = HrnnRecommender(trained.artifact_dir).recommend(HISTORY, None, 1000)
    assert {item.item_id for item in found} == set(json.loads((trained.artifact_dir / "items.json").read_text()))


def test_a_folder_without_a_model_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(AlgorithmError, match=r"holds no hrnn model: manifest\.json is missing"):
        HrnnRecommender(tmp_path)


def test_damaged_weights_are_an_error(trained: RecordingContext) -> None:
    (trained.artifact_dir / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(AlgorithmError, match="is damaged"):
        HrnnRecommender(trained.artifact_dir)


def test_a_vocabulary_of_another_size_is_an_error(trained: RecordingContext) -> None:
    (trained.artifact_dir / "items.json").write_text('["i1"]')
    with pytest.raises(AlgorithmError, match="is damaged: 1 item ids for 40 items"):
        HrnnRecommender(trained.artifact_dir)


def test_another_format_version_is_an_error(trained: RecordingContext) -> None:
    manifest = json.loads((trained.artifact_dir / "manifest.json").read_text())
    (trained.artifact_dir / "manifest.json").write_text(json.dumps({**manifest, "format_version": 99}))
    with pytest.raises(AlgorithmError, match="has format version 99; supported: 1"):
        HrnnRecommender(trained.artifact_dir)


def test_the_declared_paths_resolve_to_trainer_and_recommender(trained: RecordingContext) -> None:
    registry = load_algorithms(["hrnn_tuner.algorithms.hrnn:ALGORITHM"])
    assert isinstance(registry.trainer("hrnn"), HrnnTrainer)
    assert isinstance(registry.recommender("hrnn", str(trained.artifact_dir)), HrnnRecommender)


def test_the_flat_cell_survives_the_round_trip(make_context: ContextFactory) -> None:
    context = make_context(cell="flat", use_query_gap=False, epochs=1)
    HrnnTrainer().train(context)
    assert len(HrnnRecommender(context.artifact_dir).recommend(HISTORY, None, 5)) == 5
    assert not any(
        "cell.user" in name or name == "user_output"
        for name in load_artifact(context.artifact_dir, "cpu").model.state_dict()
    )


def test_every_default_lies_within_its_limits() -> None:
    for hyperparameter in ALGORITHM.hyperparameters:
        assert hyperparameter.violation(hyperparameter.default) is None


def test_the_declaration_needs_no_torch() -> None:
    code = "import sys, hrnn_tuner.algorithms.hrnn; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
