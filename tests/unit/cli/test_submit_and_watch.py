from __future__ import annotations

from pathlib import Path

import grpc
import pytest
from google.protobuf import json_format

from hrnn_tuner.v1 import tuning_service_pb2 as pb
from tests.unit.cli.conftest import Invoke
from tests.unit.client.canned import completed_job_events, event, metrics, spec, training_job, tuning_job
from tests.unit.client.fake_service import FakeService, Refusal


@pytest.fixture
def spec_file(tmp_path: Path) -> str:
    file = tmp_path / "tuning_job.json"
    file.write_text(json_format.MessageToJson(spec()))
    return str(file)


@pytest.fixture
def accepting(service: FakeService) -> FakeService:
    answer = pb.CreateTuningJobResponse(tuning_job=tuning_job(), warnings=["bptt leaves the recipe's range"])
    return service.answers("CreateTuningJob", answer)


def test_submit_sends_the_file_and_prints_warnings_on_stderr(
    accepting: FakeService, invoke: Invoke, spec_file: str
) -> None:
    result = invoke("submit", spec_file)
    assert result.exit_code == 0
    assert "'demo' started, random_seed 7" in result.stdout
    assert "warning: bptt leaves the recipe's range" in result.stderr
    assert accepting.requests["CreateTuningJob"][0].tuning_job == spec()


def test_submit_prints_what_the_service_chose_on_stderr(service: FakeService, invoke: Invoke, spec_file: str) -> None:
    job = tuning_job()
    job.autotune_choices.add(field="strategy", value="STRATEGY_GRID", reason="all 6 combinations can be tried")
    service.answers("CreateTuningJob", pb.CreateTuningJobResponse(tuning_job=job))
    result = invoke("submit", spec_file)
    assert "chosen: strategy: STRATEGY_GRID (all 6 combinations can be tried)" in result.stderr
    assert "chosen" not in result.stdout


def test_submit_reads_a_whole_request_from_stdin(accepting: FakeService, invoke: Invoke) -> None:
    request = pb.CreateTuningJobRequest(tuning_job=spec(), request_id="8f9b6f3e-5a56-4c3c-9f6b-1c2d3e4f5a6b")
    assert invoke("submit", "-", stdin=json_format.MessageToJson(request)).exit_code == 0
    assert accepting.requests["CreateTuningJob"] == [request]


def test_submit_overrides_name_and_data_with_absolute_paths(
    accepting: FakeService, invoke: Invoke, spec_file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    invoke(
        "submit", spec_file, "--name", "other", "--data", "interactions=./my.csv", "--data", "items=s3://bucket/items"
    )
    sent = accepting.requests["CreateTuningJob"][0].tuning_job
    assert sent.name == "other"
    channels = {channel.name: channel.uri for channel in sent.training_job_definitions[0].data_channels}
    assert channels == {"interactions": str(tmp_path / "my.csv"), "items": "s3://bucket/items"}


def test_submit_keeps_how_data_are_read_when_it_takes_others(
    accepting: FakeService, invoke: Invoke, tmp_path: Path
) -> None:
    asked = spec()
    asked.training_job_definitions[0].data_channels[0].event_type = "watch"
    file = tmp_path / "job.json"
    file.write_text(json_format.MessageToJson(asked))
    invoke("submit", str(file), "--data", "interactions=/elsewhere.csv")
    (sent,) = accepting.requests["CreateTuningJob"][0].tuning_job.training_job_definitions[0].data_channels
    assert (sent.uri, sent.event_type) == ("/elsewhere.csv", "watch")


def test_submit_validate_only_starts_nothing_and_watches_nothing(
    accepting: FakeService, invoke: Invoke, spec_file: str
) -> None:
    result = invoke("submit", spec_file, "--validate-only", "--watch")
    assert result.exit_code == 0
    assert "nothing was started" in result.stdout
    assert accepting.requests["CreateTuningJob"][0].validate_only
    assert not accepting.requests["WatchTuningJob"]


def test_submit_prints_json_that_reads_back(accepting: FakeService, invoke: Invoke, spec_file: str) -> None:
    result = invoke("submit", spec_file, "-o", "json")
    answer = json_format.Parse(result.stdout, pb.CreateTuningJobResponse())
    assert answer.tuning_job == tuning_job()
    assert '"tuning_job"' in result.stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"name": "a",\n "weight" 2}', "line 2, column 11: Expecting ':' delimiter"),
        ('{"strategy": "RANDOM"}', "strategy: Invalid enum value RANDOM"),
        ('{"resource_limits": {"jobs": 1}}', "resource_limits.jobs: no such field"),
    ],
)
def test_a_file_that_cannot_be_read_names_line_or_field(
    service: FakeService, invoke: Invoke, text: str, said: str
) -> None:
    result = invoke("submit", "-", stdin=text)
    assert result.exit_code == 2
    assert said in result.stderr
    assert not service.requests["CreateTuningJob"]


@pytest.mark.parametrize("arguments", [["/no/such/file"], ["-", "--data", "interactions"], ["-", "--data", "=x"]])
def test_wrong_arguments_are_refused_before_anything_is_sent(
    service: FakeService, invoke: Invoke, arguments: list[str]
) -> None:
    assert invoke("submit", *arguments, stdin="{}").exit_code == 2
    assert not service.requests["CreateTuningJob"]


def test_submit_watch_follows_the_job_to_its_end(accepting: FakeService, invoke: Invoke, spec_file: str) -> None:
    accepting.answers("WatchTuningJob", completed_job_events())
    result = invoke("submit", spec_file, "--watch")
    assert result.exit_code == 0
    lines = [line.split("  ", 1)[-1] for line in result.stdout.splitlines()]
    assert lines[1:] == [
        "demo: IN_PROGRESS",
        "decided: PROPOSED training job 1: draw 1 of RANDOM",
        "demo-1-00000001: bptt=21 recency_mask=true",
        "demo-1-00000001: TRAINING",
        "demo-2-00000002: bptt=22 recency_mask=true",
        "demo-2-00000002: TRAINING",
        "demo-1-00000001: epoch 1, precision_at_25=0.05",
        "demo-1-00000001: epoch 2, precision_at_25=0.1",
        "demo-1-00000001: COMPLETED, precision_at_25=0.1",
        "demo-2-00000002: epoch 1, precision_at_25=0.2",
        "demo-2-00000002: COMPLETED, precision_at_25=0.2",
        "demo: COMPLETED (MAX_JOBS)",
        "demo: best so far is demo-2-00000002, precision_at_25=0.2",
    ]


def test_submit_watch_as_json_is_one_document_a_line(accepting: FakeService, invoke: Invoke, spec_file: str) -> None:
    accepting.answers("WatchTuningJob", completed_job_events())
    first, *lines = invoke("submit", spec_file, "--watch", "-o", "json").stdout.splitlines()
    assert json_format.Parse(first, pb.CreateTuningJobResponse()).tuning_job.name == "demo"
    events = [json_format.Parse(line, pb.WatchTuningJobResponse()) for line in lines]
    assert events == [item for item in completed_job_events() if not item.HasField("heartbeat")]


@pytest.mark.parametrize("state", ["FAILED", "STOPPED"])
def test_watching_a_job_that_does_not_complete_has_an_exit_code_of_its_own(
    service: FakeService, invoke: Invoke, state: str
) -> None:
    service.answers("WatchTuningJob", [event("1", tuning_job(state))])
    result = invoke("watch", "demo")
    assert result.exit_code == 6
    assert f"is {state}" in result.stderr


def test_watching_a_job_that_is_deleted_does_not_complete(service: FakeService, invoke: Invoke) -> None:
    service.answers("WatchTuningJob", [event("1", tuning_job()), event("2", pb.TuningJobDeleted())])
    assert invoke("watch", "demo").exit_code == 6


def test_watching_behind_the_last_event_reads_the_final_state(service: FakeService, invoke: Invoke) -> None:
    service.answers("WatchTuningJob", [])
    service.answers("GetTuningJob", pb.GetTuningJobResponse(tuning_job=tuning_job("COMPLETED")))
    assert invoke("watch", "demo", "--resume-token", "t9").exit_code == 0
    assert service.requests["WatchTuningJob"][0].resume_token == "t9"


def test_watch_survives_a_drained_server(service: FakeService, invoke: Invoke) -> None:
    events = completed_job_events()
    service.answers("WatchTuningJob", [*events[:6], Refusal(grpc.StatusCode.UNAVAILABLE)], events[6:])
    assert invoke("watch", "demo").exit_code == 0


def test_a_failed_training_job_and_a_retry_are_reported(service: FakeService, invoke: Invoke) -> None:
    retried = training_job(1)
    retried.attempt = 2
    service.answers(
        "WatchTuningJob",
        [
            event("1", tuning_job()),
            event("2", training_job(1)),
            event("3", metrics(1, 1, float("nan"))),
            event("4", retried),
            event("5", training_job(1, reason="out of memory")),
            event("6", tuning_job("FAILED")),
        ],
    )
    out = invoke("watch", "demo").stdout
    assert "demo-1-00000001: epoch 1, precision_at_25=nan" in out
    assert "demo-1-00000001: TRAINING (attempt 2)" in out
    assert "demo-1-00000001: FAILED: out of memory" in out
