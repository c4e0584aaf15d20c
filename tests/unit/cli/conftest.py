from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hrnn_tuner.algorithms import Algorithm, DataChannel, DataError, Recommendation
from hrnn_tuner.cli.main import app
from tests.unit.client.fake_service import FakeService, serving

Invoke = Callable[..., Any]


@pytest.fixture
def service() -> Iterator[FakeService]:
    with serving(FakeService()) as running:
        yield running


@pytest.fixture
def invoke(service: FakeService) -> Invoke:
    """Runs the command against the fake service; the result has exit_code, stdout and stderr."""

    def run(*arguments: str, stdin: str | None = None) -> Any:
        return CliRunner().invoke(app, ["--server", service.address, *arguments], input=stdin)

    return run


class FakeRecommender:
    """Recommends the name found in the artifact, then the arguments it was called with."""

    def __init__(self, artifact_dir: str) -> None:
        self.model = (Path(artifact_dir) / "model.txt").read_text()

    def recommend_for_user(
        self,
        user_id: str,
        interactions: DataChannel,
        k: int,
        *,
        filter_seen: bool = False,
        users: DataChannel | None = None,
        context: Mapping[str, str] | None = None,
    ) -> Sequence[Recommendation]:
        if user_id == "broken":
            raise DataError("column USER_ID is missing")
        read = [interactions.filters, *interactions.columns.values()] if interactions.filters else []
        read += ([] if users is None else [users.uri]) + [f"{name} {value}" for name, value in (context or {}).items()]
        items = [self.model, user_id, interactions.uri, str(filter_seen), *read]
        return [Recommendation(item, 0.5 / rank) for rank, item in enumerate(items[:k], start=1)]


@pytest.fixture
def fake_algorithms(monkeypatch: pytest.MonkeyPatch) -> None:
    """Announces the algorithms `fake` and `silent` by the setting, as an operator would."""
    module = types.ModuleType("fake_algorithm_module")
    module.FakeRecommender = FakeRecommender  # type: ignore[attr-defined]
    for name, recommender in (
        ("fake", "fake_algorithm_module:FakeRecommender"),
        ("silent", None),
        ("bare", "no_such_module:X"),
    ):
        setattr(module, name, Algorithm(name, "", (), (), (), trainer="x:y", recommender=recommender))
    monkeypatch.setitem(sys.modules, "fake_algorithm_module", module)
    paths = ",".join(f"fake_algorithm_module:{name}" for name in ("fake", "silent", "bare"))
    monkeypatch.setenv("HRNN_TUNER_ALGORITHMS", paths)
    monkeypatch.setattr("hrnn_tuner.algorithms.registry.entry_points", lambda group: [])


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    folder = tmp_path / "artifact"
    folder.mkdir()
    (folder / "model.txt").write_text("best-model")
    return folder
