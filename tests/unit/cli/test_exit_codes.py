from __future__ import annotations

import grpc
import pytest
from google.rpc import error_details_pb2
from typer.testing import CliRunner

from hrnn_tuner.cli.exits import ExitCode
from hrnn_tuner.cli.main import app
from tests.unit.cli.conftest import Invoke
from tests.unit.client.fake_service import FakeService, Refusal, bad_request


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (grpc.StatusCode.INVALID_ARGUMENT, 2),
        (grpc.StatusCode.UNIMPLEMENTED, 2),
        (grpc.StatusCode.NOT_FOUND, 3),
        (grpc.StatusCode.ALREADY_EXISTS, 4),
        (grpc.StatusCode.FAILED_PRECONDITION, 4),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, 4),
        (grpc.StatusCode.DEADLINE_EXCEEDED, 5),
        (grpc.StatusCode.UNAUTHENTICATED, 7),
        (grpc.StatusCode.PERMISSION_DENIED, 7),
        (grpc.StatusCode.INTERNAL, 1),
    ],
)
def test_each_refusal_has_its_exit_code_and_no_traceback(
    service: FakeService, invoke: Invoke, status: grpc.StatusCode, code: int
) -> None:
    service.answers("GetTuningJob", Refusal(status, "because"))
    result = invoke("describe", "demo")
    assert result.exit_code == code
    assert "error: because" in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_all_violations_are_printed_with_the_reason(service: FakeService, invoke: Invoke) -> None:
    details = [
        bad_request(tuning_job__name="too long", tuning_job__weight="got 0; allowed: 1 to 1000"),
        error_details_pb2.ErrorInfo(reason="INVALID_SPECIFICATION"),
    ]
    service.answers("CreateTuningJob", Refusal(grpc.StatusCode.INVALID_ARGUMENT, "2 violations", details))
    result = invoke("submit", "-", stdin="{}")
    assert result.stderr.splitlines() == [
        "error: 2 violations [INVALID_SPECIFICATION]",
        "  tuning_job.name: too long",
        "  tuning_job.weight: got 0; allowed: 1 to 1000",
    ]


def test_a_server_that_is_not_there_gives_the_code_for_unavailable() -> None:
    result = CliRunner().invoke(app, ["--server", "127.0.0.1:1", "list"])
    assert result.exit_code == ExitCode.UNAVAILABLE
    assert "To start one: hrnn-tuner serve" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_server_is_taken_from_the_environment(service: FakeService) -> None:
    service.answers("GetTuningJob", Refusal(grpc.StatusCode.NOT_FOUND, "asked the right one"))
    result = CliRunner().invoke(app, ["describe", "demo"], env={"HRNN_TUNER_SERVER": service.address})
    assert result.exit_code == ExitCode.NOT_FOUND


def test_wrong_usage_gives_the_code_for_bad_input(invoke: Invoke) -> None:
    assert invoke("watch").exit_code == ExitCode.BAD_INPUT
    assert invoke("list", "-o", "yaml").exit_code == ExitCode.BAD_INPUT


def test_the_help_documents_every_exit_code_and_gives_examples() -> None:
    root = CliRunner().invoke(app, ["--help"]).stdout
    assert all(f" {code.value}  " in root for code in ExitCode)
    for command in ("submit", "watch", "recommend"):
        assert f"hrnn-tuner {command} " in CliRunner().invoke(app, [command, "--help"]).stdout


def test_the_version_is_printed() -> None:
    assert CliRunner().invoke(app, ["--version"]).stdout.startswith("hrnn-tuner 0.")
