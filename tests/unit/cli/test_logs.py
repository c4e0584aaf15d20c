from __future__ import annotations

import pytest
from google.protobuf import json_format

from hrnn_tuner.v1 import tuning_service_pb2 as pb
from hrnn_tuner.v1.training_job_pb2 import LOG_SOURCE_STDERR, LOG_SOURCE_STDOUT, LogLine
from tests.unit.cli.conftest import Invoke
from tests.unit.client.canned import training_job
from tests.unit.client.fake_service import FakeService

FIRST = training_job(1)
DONE = training_job(1, 0.5)


def page(*lines: LogLine, token: str = "t") -> pb.ListTrainingJobLogsResponse:
    return pb.ListTrainingJobLogsResponse(lines=lines, resume_token=token)


def line(text: str, position: int = 0, attempt: int = 1) -> LogLine:
    found = LogLine(attempt=attempt, position=position, source=LOG_SOURCE_STDOUT, text=text)
    found.time.FromJsonString("2026-01-01T00:00:00.5Z")
    return found


def texts(output: str) -> list[str]:
    return [shown.split(maxsplit=4)[-1] for shown in output.splitlines()]


def test_lines_are_printed_with_time_attempt_and_source(service: FakeService, invoke: Invoke) -> None:
    service.answers("GetTrainingJob", pb.GetTrainingJobResponse(training_job=FIRST))
    error = line("oh", 6, attempt=2)
    error.source = LOG_SOURCE_STDERR
    service.answers("ListTrainingJobLogs", page(line("hello"), error))
    first, dropped, second = invoke("logs", "demo", FIRST.name).stdout.splitlines()
    assert first.split()[-3:] == ["1", "stdout", "hello"]
    assert dropped == "[6 bytes of attempt 2 were dropped here]"
    assert second.split()[-3:] == ["2", "stderr", "oh"]


def test_a_training_job_is_named_by_its_number(service: FakeService, invoke: Invoke) -> None:
    service.answers("ListTrainingJobs", pb.ListTrainingJobsResponse(training_jobs=[FIRST, training_job(2)]))
    service.answers("ListTrainingJobLogs", page())
    assert invoke("logs", "demo", "2", "--attempt", "3").exit_code == 0
    (request,) = service.requests["ListTrainingJobLogs"]
    assert (request.training_job_name, request.attempt) == (training_job(2).name, 3)


@pytest.mark.parametrize("wanted", ["7", FIRST.name])
def test_a_training_job_of_another_tuning_job_is_not_found(service: FakeService, invoke: Invoke, wanted: str) -> None:
    service.answers("ListTrainingJobs", pb.ListTrainingJobsResponse(training_jobs=[FIRST]))
    service.answers("GetTrainingJob", pb.GetTrainingJobResponse(training_job=FIRST))
    result = invoke("logs", "other" if wanted == FIRST.name else "demo", wanted)
    assert result.exit_code == 3
    assert "no training job" in result.stderr


def test_following_ends_with_the_training_job_and_repeats_nothing(
    service: FakeService, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hrnn_tuner.cli.logs_command.FOLLOW_INTERVAL_S", 0.0)
    running, ended = (pb.GetTrainingJobResponse(training_job=job) for job in (FIRST, DONE))
    service.answers("GetTrainingJob", running, running, running, ended)  # the first finds it
    service.answers("ListTrainingJobLogs", page(line("a"), token="1"), page(token="1"), page(line("b", 2), token="2"))
    assert texts(invoke("logs", "demo", FIRST.name, "--follow").stdout) == ["a", "b"]
    assert [request.page_token for request in service.requests["ListTrainingJobLogs"]] == ["", "1", "1"]


def test_control_characters_never_reach_the_terminal(service: FakeService, invoke: Invoke) -> None:
    service.answers("GetTrainingJob", pb.GetTrainingJobResponse(training_job=FIRST))
    service.answers("ListTrainingJobLogs", page(line("\x1b[2J\x07\u202eüber\ttab")))
    assert texts(invoke("logs", "demo", FIRST.name).stdout) == ["\\x1b[2J\\x07\\u202eüber\\ttab"]


def test_json_is_a_message_per_line_that_reads_back(service: FakeService, invoke: Invoke) -> None:
    service.answers("GetTrainingJob", pb.GetTrainingJobResponse(training_job=FIRST))
    lines = [line("a\nb"), line("c", 4)]
    service.answers("ListTrainingJobLogs", page(*lines))
    printed = invoke("logs", "demo", FIRST.name, "-o", "json").stdout.splitlines()
    assert [json_format.Parse(text, LogLine()) for text in printed] == lines
