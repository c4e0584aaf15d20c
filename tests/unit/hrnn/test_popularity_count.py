"""The recipe that counts, end to end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from safetensors.torch import load_file

from hrnn_tuner.algorithms import DataChannel, load_algorithms
from hrnn_tuner.algorithms.contract import AlgorithmError, DataError
from hrnn_tuner.algorithms.popularity_count import ALGORITHM
from tests.support.interactions import make_interactions, write_interactions, write_rows
from tests.unit.hrnn.context import ContextFactory, RecordingContext
from worker_service.hrnn.popularity import PopularityRecommender, PopularityTrainer
from worker_service.hrnn.recommender import HrnnRecommender

#: Only the last items of the ring are used late.
LATE = 1_600_000_000 + 200 * 86_400


def _train(context: RecordingContext) -> RecordingContext:
    PopularityTrainer().train(context)
    return context


@pytest.fixture
def trained(make_context: ContextFactory) -> RecordingContext:
    return _train(make_context(algorithm=ALGORITHM))


def _ranked(context: RecordingContext, k: int = 5, *, filter_seen: bool = False) -> list[str]:
    found = PopularityRecommender(context.artifact_dir).recommend_for_user(
        "u3", context.channels["interactions"], k, filter_seen=filter_seen
    )
    return [item.item_id for item in found]


def test_one_epoch_reports_every_declared_metric(trained: RecordingContext) -> None:
    ((step, metrics),) = trained.reports
    assert step == 1
    assert set(metrics) == {metric.name for metric in ALGORITHM.metrics}
    assert trained.started == 1


def test_it_counts_the_events_of_the_training_users(trained: RecordingContext) -> None:
    tensors = load_file(trained.artifact_dir / "model.safetensors")
    items = json.loads((trained.artifact_dir / "items.json").read_text())
    assert set(tensors) == {"item_counts"}
    assert float(tensors["item_counts"].sum()) % 20 == 0  # users of 20 events each
    assert len(items) == 40


def test_everybody_gets_the_items_that_were_counted_most(trained: RecordingContext) -> None:
    counts = load_file(trained.artifact_dir / "model.safetensors")["item_counts"]
    items = json.loads((trained.artifact_dir / "items.json").read_text())
    assert _ranked(trained) == [items[row] for row in counts.topk(5).indices]
    recommender = PopularityRecommender(trained.artifact_dir)
    found = recommender.recommend_for_user("nobody", trained.channels["interactions"], 100)
    assert sum(item.score for item in found) == pytest.approx(1.0)
    assert recommender.recommend_for_user("u1", trained.channels["interactions"], 100) == found


def test_seen_items_are_left_out_on_wish(trained: RecordingContext) -> None:
    rows = Path(trained.channels["interactions"].uri).read_text().splitlines()[1:]
    seen = {row.split(",")[1] for row in rows if row.startswith("u3,")}
    assert not seen & set(_ranked(trained, 100, filter_seen=True))
    assert len(_ranked(trained, 100, filter_seen=True)) == 40 - len(seen)


def test_a_half_life_makes_late_items_popular(make_context: ContextFactory, tmp_path: Path) -> None:
    rows = make_interactions(60, 20, 40, seed=1)
    rows += [(f"u{user}", "i7", LATE + user) for user in range(60)]
    rows += [(f"u{user}", "i8", 1_590_000_000 + 60 * user + again) for user in range(60) for again in range(3)]
    path = write_rows(tmp_path / "data.csv", rows)
    assert _ranked(_train(make_context(str(path), algorithm=ALGORITHM)), 1) == ["i8"]
    assert _ranked(_train(make_context(str(path), algorithm=ALGORITHM, recency_half_life_days=5.0)), 1) == ["i7"]


def test_the_artifact_has_the_layout_of_the_others(trained: RecordingContext) -> None:
    names = sorted(path.name for path in trained.artifact_dir.iterdir())
    assert names == ["items.json", "manifest.json", "model.safetensors"]
    manifest = json.loads((trained.artifact_dir / "manifest.json").read_text())
    assert manifest["algorithm"] == "popularity-count"
    assert manifest["metrics"] == trained.reports[0][1]
    assert set(manifest["test_metrics"]) == set(manifest["metrics"]) - {"train_loss"}


def test_networks_and_counts_are_not_taken_for_each_other(trained: RecordingContext, tmp_path: Path) -> None:
    with pytest.raises(AlgorithmError, match="is of algorithm 'popularity-count'; supported here: hrnn, hrnn-metadata"):
        HrnnRecommender(trained.artifact_dir)
    manifest = json.loads((trained.artifact_dir / "manifest.json").read_text())
    (trained.artifact_dir / "manifest.json").write_text(json.dumps({**manifest, "algorithm": "hrnn"}))
    with pytest.raises(AlgorithmError, match="is of algorithm 'hrnn'; supported here: popularity-count"):
        PopularityRecommender(trained.artifact_dir)
    with pytest.raises(AlgorithmError, match=r"holds no popularity-count model: manifest\.json is missing"):
        PopularityRecommender(tmp_path)


def test_a_temporal_split_is_counted_too(make_context: ContextFactory) -> None:
    context = _train(make_context(algorithm=ALGORITHM, split="temporal"))
    assert context.reports


def test_a_stop_leaves_nothing(make_context: ContextFactory) -> None:
    context = make_context(algorithm=ALGORITHM)
    context.stop_after_steps = 0
    _train(context)
    assert not context.reports
    assert not list(context.artifact_dir.iterdir())


def test_what_it_does_not_have_and_too_little_data_are_errors(make_context: ContextFactory, tmp_path: Path) -> None:
    says = "unknown hyperparameters: bptt; known: recency_half_life_days, split, truth"
    with pytest.raises(AlgorithmError, match=says):
        _train(make_context(algorithm=ALGORITHM, bptt=3))
    path = write_interactions(tmp_path / "small.csv", users=5, events_per_user=5)
    with pytest.raises(DataError, match="has 25 interactions; at least 1000 are needed"):
        _train(make_context(str(path), algorithm=ALGORITHM))


def test_less_than_one_item_is_an_error(trained: RecordingContext) -> None:
    with pytest.raises(AlgorithmError, match="is 0; allowed: at least 1"):
        _ranked(trained, 0)


def test_the_declared_paths_resolve(trained: RecordingContext) -> None:
    registry = load_algorithms(["hrnn_tuner.algorithms.popularity_count:ALGORITHM"])
    assert isinstance(registry.trainer("popularity-count"), PopularityTrainer)
    recommender = registry.recommender("popularity-count", str(trained.artifact_dir))
    assert recommender.recommend_for_user("u", DataChannel("nowhere.csv"), 1)
