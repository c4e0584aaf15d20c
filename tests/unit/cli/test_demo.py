from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hrnn_tuner.demo.demo import demo_spec
from hrnn_tuner.v1 import tuning_service_pb2 as pb
from hrnn_tuner.v1.tuning_job_pb2 import OBJECTIVE_TYPE_MAXIMIZE, STRATEGY_RANDOM
from tests.unit.cli.conftest import Invoke
from tests.unit.client.canned import event, training_job, tuning_job
from tests.unit.client.fake_service import FakeService

pytestmark = pytest.mark.usefixtures("fake_algorithms")


@pytest.fixture(autouse=True)
def embedded(service: FakeService, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Puts the fake service in the place of the embedded server; gives the arguments it was started with."""
    started: list[dict[str, Any]] = []

    @contextmanager
    def running(**arguments: Any) -> Iterator[FakeService]:
        started.append(arguments)
        yield service

    def embedded_server(**arguments: Any) -> AbstractContextManager[FakeService]:
        if arguments["data_dir"].name == "in-use":
            raise BlockingIOError("in-use is in use by process 7")
        return running(**arguments)

    root = types.ModuleType("hrnn_tuner.cli.serve")
    root.EmbeddedServer = embedded_server  # type: ignore[attr-defined]
    root.CannotServe = BlockingIOError  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "hrnn_tuner.cli.serve", root)
    monkeypatch.setattr("hrnn_tuner.cli.demo_command.configure_logging", lambda **_: None)  # it is global
    return started


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "titles.csv").write_text("ITEM_ID,TITLE\nbest-model,Kolya (1996)\n")
    csv = tmp_path / "interactions.csv"
    csv.write_text("USER_ID,ITEM_ID,TIMESTAMP,EVENT_VALUE\n196,242,881250949,3\n")
    return csv


def answer(service: FakeService, artifact: Path, *, second: str = "", state: str = "COMPLETED") -> None:
    """Lets the tuning job end with training job 1 as the best."""
    best = training_job(1, 0.2, artifact_uri=str(artifact))
    jobs = [best, training_job(2, reason=second) if second else training_job(2, 0.1)]
    job = tuning_job(state, best=best, jobs=2)
    job.spec.training_job_definitions[0].algorithm = "fake"
    service.answers("CreateTuningJob", pb.CreateTuningJobResponse(tuning_job=tuning_job(), warnings=["careful"]))
    service.answers("WatchTuningJob", [event("1", job)])
    ranked = [item for item in jobs if item.HasField("final_objective_value")]
    service.answers("ListTrainingJobs", pb.ListTrainingJobsResponse(training_jobs=ranked))
    service.answers("ListTrainingJobs", pb.ListTrainingJobsResponse(training_jobs=jobs))


def test_the_example_is_the_one_of_the_personalize_guide() -> None:
    spec = demo_spec(Path("/data/interactions.csv"), datetime(2026, 11, 21, 5, 0, tzinfo=UTC))
    assert spec.name == "personalize-example-261121050000"
    assert len(spec.name) <= 32
    assert spec.strategy == STRATEGY_RANDOM
    assert spec.HasField("random_seed")
    assert spec.resource_limits.max_number_of_training_jobs == 4
    assert spec.resource_limits.max_parallel_training_jobs == 2
    (definition,) = spec.training_job_definitions
    assert (definition.objective.type, definition.objective.metric_name) == (OBJECTIVE_TYPE_MAXIMIZE, "precision_at_25")
    assert definition.static_hyperparameters["hidden_dimension"].integer_value == 55
    (bptt,) = definition.parameter_ranges.integer_parameter_ranges
    assert (bptt.name, bptt.min_value, bptt.max_value) == ("bptt", 20, 40)
    (mask,) = definition.parameter_ranges.categorical_parameter_ranges
    assert (mask.name, [value.bool_value for value in mask.values]) == ("recency_mask", [True, False])
    assert definition.data_channels[0].uri == "/data/interactions.csv"


def test_the_demonstration_goes_from_data_to_recommendations(
    service: FakeService,
    invoke: Invoke,
    embedded: list[dict[str, Any]],
    artifact: Path,
    data: Path,
    tmp_path: Path,
) -> None:
    answer(service, artifact)
    result = invoke("demo", "--data", str(data), "--data-dir", str(tmp_path / "state"))
    assert result.exit_code == 0, result.stderr
    (arguments,) = embedded
    assert arguments["slots"] == 2
    assert arguments["data_dir"] == tmp_path / "state"
    assert arguments["data_prefixes"] == [str(tmp_path)]
    sent = service.requests["CreateTuningJob"][0].tuning_job
    assert sent.training_job_definitions[0].data_channels[0].uri == str(data)
    assert "warning: careful" in result.stderr
    out = result.stdout
    assert [out.count(f"\n{number}. ") for number in range(1, 6)] == [1] * 5
    assert f"best model: {artifact}" in out
    assert "Kolya (1996)" in out
    assert "recommendations for user 196" in out
    assert f"hrnn-tuner serve --data-dir {tmp_path / 'state'} --data-prefix {tmp_path}" in out
    assert "hrnn-tuner recommend --job demo --user 196 --titles" in out


def test_the_user_can_be_chosen(service: FakeService, invoke: Invoke, artifact: Path, data: Path) -> None:
    answer(service, artifact)
    out = invoke("demo", "--data", str(data), "--data-dir", str(data.parent), "--user", "42").stdout
    assert "recommendations for user 42" in out


def test_a_training_job_that_failed_is_named(service: FakeService, invoke: Invoke, artifact: Path, data: Path) -> None:
    answer(service, artifact, second="out of memory")
    result = invoke("demo", "--data", str(data), "--data-dir", str(data.parent))
    assert result.exit_code == 6
    assert "not completed: demo-2-00000002" in result.stderr


def test_a_tuning_job_that_does_not_complete_ends_the_demonstration(
    service: FakeService, invoke: Invoke, artifact: Path, data: Path
) -> None:
    answer(service, artifact, state="STOPPED")
    assert invoke("demo", "--data", str(data), "--data-dir", str(data.parent)).exit_code == 6


def test_data_that_cannot_be_had_are_bad_input(invoke: Invoke, tmp_path: Path) -> None:
    result = invoke("demo", "--data", str(tmp_path / "nothing.csv"), "--data-dir", str(tmp_path))
    assert result.exit_code == 2
    assert "there is no file" in result.stderr


def test_without_the_services_it_says_what_to_install(
    invoke: Invoke, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "hrnn_tuner.cli.serve", None)
    result = invoke("demo", "--data", str(data), "--data-dir", str(data.parent))
    assert result.exit_code == 2
    assert "pip install 'hrnn-tuner[all]'" in result.stderr


def test_a_folder_that_is_in_use_is_a_conflict(invoke: Invoke, data: Path) -> None:
    result = invoke("demo", "--data", str(data), "--data-dir", str(data.parent / "in-use"))
    assert result.exit_code == 4
    assert "in use by process 7" in result.stderr
