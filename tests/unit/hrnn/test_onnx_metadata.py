"""ONNX export of models with metadata."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hrnn_tuner.algorithms.contract import AlgorithmError
from hrnn_tuner.algorithms.hrnn_coldstart import ALGORITHM as HRNN_COLDSTART
from hrnn_tuner.algorithms.hrnn_metadata import ALGORITHM as HRNN_METADATA
from tests.support.planted_metadata import START, write_planted
from tests.unit.hrnn.context import ContextFactory
from worker_service.hrnn.artifact import load_artifact
from worker_service.hrnn.data.own_history import own_items
from worker_service.hrnn.onnx_export import export_onnx
from worker_service.hrnn.recommender import HrnnRecommender
from worker_service.hrnn.trainer import ColdstartTrainer, MetadataTrainer

onnxruntime = pytest.importorskip("onnxruntime")


def test_metadata_of_items_and_what_may_be_recommended_are_in_the_graph(
    make_context: ContextFactory, tmp_path: Path
) -> None:
    channels = write_planted(tmp_path / "planted", new_items=120).channels("interactions", "items")
    context = make_context(algorithm=HRNN_COLDSTART, channels=channels, epochs=1, hidden_dimension=8)
    ColdstartTrainer().train(context)
    artifact = load_artifact(context.artifact_dir, "cpu")
    export_onnx(artifact, tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    row = artifact.items.index("i0")
    own = own_items([np.array([row + 1])], [np.array([START])], np.array([START + 60]), artifact.rule, "cpu")
    state = np.zeros((1, 8), np.float32)
    given = {
        "item": np.array([row]),
        "features": np.array([[0, 0, 0, 1]], np.float32),
        "hidden": state,
        "user": state,
        "ask_features": artifact.rule.features(np.array([60]), np.array([False])),
        "own_row": own.row.long().numpy(),
        "own_item": own.item.long().numpy(),
        "own_events": own.events.long().numpy(),
        "own_age": own.age.long().numpy(),
        "own_habit": own.habit.long().numpy(),
    }
    scores = session.run(["scores"], given)[0][0]
    shares = np.exp(scores) / np.exp(scores).sum()
    found = HrnnRecommender(context.artifact_dir).recommend([("i0", START)], START + 60, 1000)
    expected = {item.item_id: item.score for item in found}
    assert {artifact.items[place]: share for place, share in enumerate(shares) if share} == pytest.approx(expected)


def test_metadata_of_users_are_refused(make_context: ContextFactory, tmp_path: Path) -> None:
    channels = write_planted(tmp_path / "planted").channels("interactions", "users")
    context = make_context(algorithm=HRNN_METADATA, channels=channels, epochs=1)
    MetadataTrainer().train(context)
    with pytest.raises(AlgorithmError, match="takes models without metadata of users and context of events"):
        export_onnx(load_artifact(context.artifact_dir, "cpu"), tmp_path / "model.onnx")
