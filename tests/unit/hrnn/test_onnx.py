from __future__ import annotations

import bisect
import importlib.util
import json
import math
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray

from hrnn_tuner.algorithms.contract import AlgorithmError
from worker_service.hrnn import onnx_export
from worker_service.hrnn.artifact import Artifact, load_artifact, save_artifact
from worker_service.hrnn.data.own_history import WINDOW, own_items
from worker_service.hrnn.data.queries import ask_features
from worker_service.hrnn.data.sessions import DAY_S, SessionRule
from worker_service.hrnn.network.model import HrnnModel, ModelShape
from worker_service.hrnn.recommender import HrnnRecommender

N, H = 23, 6
RULE = SessionRule(session_gap_s=1800, long_break_s=DAY_S, typical_start_gap_s=7200)
GAPS_S = (0, 1, 59, 60, 1800, 1801, 40_000, DAY_S, DAY_S + 1, 3_000_000)
#: Cell, use_query_gap, own_items: each of them with either cell.
SHAPES = [("hrnn", True, True), ("hrnn", False, False), ("flat", True, False), ("flat", False, True)]


def _artifact(folder: Path, cell: str, use_query_gap: bool, own: bool) -> Path:
    """A saved model with random weights, none of them at its neutral start."""
    generator = torch.Generator().manual_seed(1)
    model = HrnnModel(ModelShape(N, H, cell, use_query_gap, own), generator)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=generator))
    items = tuple(f"item-{row}" for row in range(N))
    save_artifact(folder, model.shape, model.state_dict(), items, torch.ones(N), RULE, {})
    return folder


class Exported:
    """A model, its ONNX file, and a session of it."""

    def __init__(self, folder: Path, cell: str, use_query_gap: bool, own: bool) -> None:
        self.artifact: Artifact = load_artifact(_artifact(folder, cell, use_query_gap, own), "cpu")
        self.path = folder / "model.onnx"
        onnx_export.export_onnx(self.artifact, self.path)
        self.session = onnxruntime.InferenceSession(self.path, providers=["CPUExecutionProvider"])

    @property
    def metadata(self) -> dict[str, Any]:
        found = self.session.get_modelmeta().custom_metadata_map
        return {name: json.loads(value) for name, value in found.items()}


@pytest.fixture(scope="module", params=SHAPES, ids=lambda shape: "-".join(map(str, shape)))
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return Exported(tmp_path_factory.mktemp("exported"), *request.param)


class ForeignServer:
    """A server in another language, if it were one: knows the module docstring, the file and items.json, no project."""

    def __init__(self, exported: Exported) -> None:
        self.run = exported.session.run
        self.rows = {
            name: row for row, name in enumerate(json.loads((exported.path.parent / "items.json").read_text()))
        }
        metadata = exported.metadata
        self.model, self.sessions, self.own = (
            metadata[f"hrnn.{name}"] for name in ("model", "sessions", "own_history")
        )
        self.before = self.after = [[[0.0] * self.model["hidden_dimension"]]] * 2
        self.events: list[tuple[int, int]] = []

    def features(self, gap: int) -> list[float]:
        breaks = (self.sessions["session_gap_s"], self.sessions["long_break_s"])
        return [math.log(1 + gap / 60) / 10, *(float(gap > least) for least in breaks), 0.0]

    def own_items(self, ask_time: int) -> list[list[int]]:
        latest_time = self.events[-1][1]
        counts = Counter(item for item, _ in self.events)
        times = [time for _, time in self.events]
        found = []
        for item in {item for item, _ in self.events[-self.own["window"] :]}:
            e = max(place for place, event in enumerate(self.events) if event[0] == item)
            gaps = [later - earlier for earlier, later in zip(times[e:], times[e + 1 :], strict=False)]
            starts = sum(gap > self.sessions["session_gap_s"] for gap in [*gaps, ask_time - latest_time])
            ends, bucket = self.own, bisect.bisect_left
            habit = bucket(ends["sessions"], starts) * (len(ends["counts"]) + 1) + bucket(ends["counts"], counts[item])
            events = bucket(ends["events"], len(self.events) - 1 - e)
            found.append([0, item, events, bucket(ends["age_s"], ask_time - times[e]), habit])
        return found

    def read(self, name: str, time: int) -> None:
        if name in self.rows:
            self.before, first = self.after, not self.events
            self.event_features = [0.0, 0.0, 0.0, 1.0] if first else self.features(time - self.events[-1][1])
            self.events.append((self.rows[name], time))
            _, *self.after = self.step(self.features(0), [])

    def shares(self, now: int | None) -> list[float]:
        latest = self.events[-1][1]
        gap = self.sessions["typical_start_gap_s"] if now is None else max(0, now - latest)
        own = self.own_items(latest + (gap if self.model["use_query_gap"] else 0)) if self.model["own_items"] else []
        scores = self.step(self.features(gap), own)[0][0]
        weights = [math.exp(score - max(scores)) for score in scores]
        return [weight / sum(weights) for weight in weights]

    def step(self, asked: list[float], own: list[list[int]]) -> list[Any]:
        columns = np.array(own, np.int64).reshape(-1, 5).T
        names = ("own_row", "own_item", "own_events", "own_age", "own_habit")
        given = {
            "item": np.array([self.events[-1][0]], np.int64),
            "features": np.array([self.event_features], np.float32),
            "hidden": np.array(self.before[0], np.float32),
            "user": np.array(self.before[1], np.float32),
            "ask_features": np.array([asked], np.float32),
        }
        answers: list[Any] = self.run(None, {**given, **dict(zip(names, columns, strict=True))})
        return answers


def test_a_server_that_knows_only_file_and_description_recommends_the_same(exported: Exported) -> None:
    rng = random.Random(2)
    server, user = ForeignServer(exported), HrnnRecommender(exported.path.parent).user()
    time, sent = 1_600_000_000, set()
    for place in range(WINDOW + 40):
        time += rng.choice(GAPS_S)
        name = f"item-{min(rng.randrange(N + 2), rng.randrange(N + 2)) if place else 9}"
        name = "item-22" if place == 3 else name.replace("item-22", "item-21")  # by the end its event is out of sight
        if (name, time) in sent:  # an exact duplicate counts once, whoever serves
            continue
        sent.add((name, time))
        server.read(name, time)
        user.add(name, time)
        if place < 40 or place >= WINDOW + 35:
            now = rng.choice([None, time - 5, time, time + rng.choice(GAPS_S)])
            shares = server.shares(now)
            found = user.recommend(now, N)
            expected = [item.score for item in sorted(found, key=lambda item: server.rows[item.item_id])]
            np.testing.assert_allclose(shares, expected, atol=1e-5)


def _histories(rng: np.random.Generator, users: int, steps: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Catalogue numbers and times [steps, users]."""
    return rng.integers(1, N + 1, (steps, users)), np.cumsum(rng.choice(GAPS_S, (steps, users)), axis=0)


def test_scores_and_states_of_users_side_by_side_are_those_of_torch(exported: Exported) -> None:
    users, steps = 4, 20
    model = exported.artifact.model
    rng = np.random.default_rng(3)
    items, times = _histories(rng, users, steps)
    starts = np.array([0, 0, 5, 11])  # from where on each user's row is that user's
    state = model.initial_state(users)
    hidden = user = np.zeros((users, H), np.float32)
    for step in range(steps):
        first = (starts == step) | (step == 0)
        gaps = times[step] - times[max(step - 1, 0)]
        features, asked_at = RULE.features(gaps, first), times[step] + rng.choice(GAPS_S, users)
        since = np.where(starts <= step, starts, 0)
        read = [slice(int(start), step + 1) for start in since]
        own = own_items(
            [items[rows, column] for column, rows in enumerate(read)],
            [times[rows, column] for column, rows in enumerate(read)],
            asked_at if model.shape.use_query_gap else None,
            RULE,
            "cpu",
        )
        asked = np.stack([ask_features(RULE, int(t), int(now)) for t, now in zip(times[step], asked_at, strict=True)])
        with torch.no_grad():
            outputs, state = model.encode(
                torch.from_numpy(items[step : step + 1]), torch.from_numpy(features[None]), state
            )
            expected = model.scores(outputs[0], torch.from_numpy(asked), own if model.shape.own_items else None)
        fields = zip(("row", "item", "events", "age", "habit"), own[1:], strict=True)
        given = {"item": items[step] - 1, "features": features, "hidden": hidden, "user": user, "ask_features": asked}
        scores, hidden, user = exported.session.run(
            None, {**given, **{f"own_{k}": v.numpy().astype(np.int64) for k, v in fields}}
        )
        for found, wanted in ((scores, expected), (hidden, state.hidden), (user, state.user)):
            np.testing.assert_allclose(found, wanted.numpy(), atol=1e-5, rtol=1e-5)


def test_the_file_is_valid_and_keeps_its_promises(exported: Exported) -> None:
    model = onnx.load(exported.path)
    onnx.checker.check_model(model, full_check=True)
    assert [entry.version for entry in model.opset_import] == [18]
    shapes = {value.name: value.shape for value in (*exported.session.get_inputs(), *exported.session.get_outputs())}
    vectors = {name: ["own_items"] for name in ("own_row", "own_item", "own_events", "own_age", "own_habit")}
    states = {name: ["users", H] for name in ("hidden", "user", "new_hidden", "new_user")}
    features = {name: ["users", 4] for name in ("features", "ask_features")}
    assert shapes == {"item": ["users"], "scores": ["users", N], **states, **features, **vectors}
    assert str(Path(onnx_export.__file__).parent) not in str(model)


def test_the_metadata_are_those_of_the_artifact(exported: Exported) -> None:
    metadata, manifest = exported.metadata, exported.artifact.manifest
    assert metadata["hrnn.format_version"] == 1
    assert metadata["hrnn.model"] == manifest["model"]
    assert metadata["hrnn.sessions"] == manifest["sessions"]
    assert metadata["hrnn.own_history"]["window"] == WINDOW


def test_the_command_line_writes_the_file_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "out.onnx"
    command = [sys.executable, "-m", "worker_service.hrnn.onnx_export"]
    done = subprocess.run([*command, _artifact(tmp_path, *SHAPES[3]), file], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")
    assert onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"]).get_inputs()[0].name == "item"


def test_the_command_line_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert onnx_export.main([str(tmp_path), str(tmp_path / "out.onnx")]) == 1
    assert "holds no hrnn model: manifest.json is missing" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="0"):
        onnx_export.main(["--help"])
    assert "ARTIFACT_DIR FILE" in capsys.readouterr().out


def test_missing_packages_are_named_with_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(AlgorithmError, match=r"needs onnx and onnxscript: pip install 'hrnn-tuner\[onnx\]'"):
        onnx_export.export_onnx(load_artifact(_artifact(tmp_path, *SHAPES[0]), "cpu"), tmp_path / "out.onnx")
