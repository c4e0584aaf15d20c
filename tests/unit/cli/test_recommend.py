from __future__ import annotations

import json
from pathlib import Path

import fsspec
import pytest

from hrnn_tuner.v1 import tuning_service_pb2 as pb
from hrnn_tuner.v1.tuning_job_pb2 import TuningJob
from tests.unit.cli.conftest import Invoke
from tests.unit.client.canned import training_job, tuning_job
from tests.unit.client.fake_service import FakeService

pytestmark = pytest.mark.usefixtures("fake_algorithms")


def job_with(artifact_uri: str, algorithm: str = "fake") -> TuningJob:
    job = tuning_job("COMPLETED", best=training_job(2, 0.2, artifact_uri=artifact_uri))
    job.spec.training_job_definitions[0].algorithm = algorithm
    return job


@pytest.fixture
def ended(service: FakeService, artifact: Path) -> FakeService:
    return service.answers("GetTuningJob", pb.GetTuningJobResponse(tuning_job=job_with(str(artifact))))


def test_the_best_model_recommends_by_rank(ended: FakeService, invoke: Invoke) -> None:
    lines = [line.split() for line in invoke("recommend", "--job", "demo", "--user", "196").stdout.splitlines()]
    assert lines == [
        ["rank", "item", "score"],
        ["1", "best-model", "0.50000"],
        ["2", "196", "0.25000"],
        ["3", "/data/interactions.csv", "0.16667"],
        ["4", "False", "0.12500"],
    ]


def test_titles_are_shown_beside_the_items(ended: FakeService, invoke: Invoke, tmp_path: Path) -> None:
    titles = tmp_path / "titles.csv"
    titles.write_text('ITEM_ID,TITLE\nbest-model,"Good, the Bad (1966)"\n')
    out = invoke("recommend", "--job", "demo", "--user", "1", "-k", "2", "--titles", str(titles)).stdout
    assert "Good, the Bad (1966)" in out
    assert len(out.splitlines()) == 3


def test_json_carries_rank_item_title_and_score(ended: FakeService, invoke: Invoke, tmp_path: Path) -> None:
    newer = tmp_path / "newer.csv"
    printed = invoke(
        "recommend", "--job", "demo", "--user", "7", "--filter-seen", "--interactions", str(newer), "-o", "json"
    ).stdout
    document = json.loads(printed)
    assert document["training_job_name"] == "demo-2-00000002"
    assert document["user_id"] == "7"
    first, *_, uri, seen = document["recommendations"]
    assert first == {"rank": 1, "item_id": "best-model", "title": None, "score": 0.5}
    assert uri["item_id"] == str(newer)
    assert seen["item_id"] == "True"


def test_other_data_are_read_with_the_options_of_the_job(
    service: FakeService, invoke: Invoke, artifact: Path, tmp_path: Path
) -> None:
    job = job_with(str(artifact))
    channel = job.spec.training_job_definitions[0].data_channels[0]
    channel.columns["TIMESTAMP"] = "rated_at"
    channel.event_type, channel.event_value_threshold = "watch", 4
    service.answers("GetTuningJob", pb.GetTuningJobResponse(tuning_job=job))
    newer = tmp_path / "newer.csv"
    printed = invoke("recommend", "--job", "demo", "--user", "7", "--interactions", str(newer), "-o", "json").stdout
    items = [item["item_id"] for item in json.loads(printed)["recommendations"]]
    assert items[2:] == [str(newer), "False", "event_type 'watch' and event_value_threshold 4", "rated_at"]


def test_metadata_of_users_and_the_context_of_the_request_reach_the_model(
    service: FakeService, invoke: Invoke, artifact: Path
) -> None:
    job = job_with(str(artifact))
    job.spec.training_job_definitions[0].data_channels.add(name="users", uri="/data/users.csv")
    service.answers("GetTuningJob", pb.GetTuningJobResponse(tuning_job=job))
    asked = ("recommend", "--job", "demo", "--user", "7", "--context", "DEVICE=tv", "--context", "HOUR=", "-o", "json")
    items = [item["item_id"] for item in json.loads(invoke(*asked).stdout)["recommendations"]]
    assert items[4:] == ["/data/users.csv", "DEVICE tv", "HOUR "]


@pytest.mark.parametrize("given", ["DEVICE", "=tv"])
def test_a_context_that_is_no_pair_is_bad_input(ended: FakeService, invoke: Invoke, given: str) -> None:
    result = invoke("recommend", "--job", "demo", "--user", "7", "--context", given)
    assert result.exit_code == 2
    assert f"--context {given!r}: expected COLUMN=VALUE" in result.stderr


def test_a_remote_model_is_fetched_and_removed(service: FakeService, invoke: Invoke) -> None:
    memory = fsspec.filesystem("memory")
    memory.pipe("/bucket/job/model.txt", b"remote-model")
    service.answers("GetTuningJob", pb.GetTuningJobResponse(tuning_job=job_with("memory://bucket/job")))
    assert "remote-model" in invoke("recommend", "--job", "demo", "--user", "1").stdout


def test_a_job_without_a_model_is_a_conflict(service: FakeService, invoke: Invoke) -> None:
    service.answers("GetTuningJob", pb.GetTuningJobResponse(tuning_job=tuning_job()))
    result = invoke("recommend", "--job", "demo", "--user", "1")
    assert result.exit_code == 4
    assert "no model yet" in result.stderr


@pytest.mark.parametrize(
    ("algorithm", "code", "said"),
    [
        ("unknown", 2, "'unknown' is not installed"),
        ("silent", 4, "does not recommend"),
        ("bare", 2, "pip install 'hrnn-tuner[worker]'"),
    ],
)
def test_an_algorithm_that_cannot_recommend_here_says_why(
    service: FakeService, invoke: Invoke, artifact: Path, algorithm: str, code: int, said: str
) -> None:
    service.answers("GetTuningJob", pb.GetTuningJobResponse(tuning_job=job_with(str(artifact), algorithm)))
    result = invoke("recommend", "--job", "demo", "--user", "1")
    assert result.exit_code == code
    assert said in result.stderr


def test_a_model_that_is_not_on_this_machine_is_not_found(service: FakeService, invoke: Invoke) -> None:
    service.answers("GetTuningJob", pb.GetTuningJobResponse(tuning_job=job_with("/no/such/folder")))
    result = invoke("recommend", "--job", "demo", "--user", "1")
    assert result.exit_code == 3
    assert "on this machine" in result.stderr


def test_unusable_data_are_bad_input(ended: FakeService, invoke: Invoke) -> None:
    result = invoke("recommend", "--job", "demo", "--user", "broken")
    assert result.exit_code == 2
    assert "column USER_ID is missing" in result.stderr


@pytest.mark.parametrize("text", [None, "ITEM,NAME\n1,a\n"])
def test_unusable_titles_are_bad_input(service: FakeService, invoke: Invoke, tmp_path: Path, text: str | None) -> None:
    titles = tmp_path / "titles.csv"
    if text is not None:
        titles.write_text(text)
    result = invoke("recommend", "--job", "demo", "--user", "1", "--titles", str(titles))
    assert result.exit_code == 2
    assert "titles.csv" in result.stderr
    assert not service.requests
