"""The attempts that a worker holds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hrnn_tuner.algorithms import DataChannel
from hrnn_tuner.domain.checkpoint import Checkpoint
from hrnn_tuner.settings import Settings
from hrnn_tuner.v1.queue_pb2 import AttemptReport
from worker_service.assignment import Assignment, AttemptKey
from worker_service.attempt import Attempt, Attempts
from worker_service.locations import forbidden_location


def _attempt(number: int = 1, *, token: str = "t", data: str | None = None, artifact: str = "/out/x") -> Attempt:
    key = AttemptKey("job", number, 1, token)
    channels = {} if data is None else {"i": DataChannel(data)}
    assignment = Assignment(key, "n", "a", {}, channels, "m", True, 0, 0, artifact, {})
    return Attempt(assignment, {}, lambda: None)


def test_an_attempt_is_found_by_its_whole_identity() -> None:
    attempts = Attempts()
    attempt = _attempt()
    assert attempts.open(attempt)
    assert attempts.find(attempt.key) is attempt
    assert attempts.find(_attempt(token="other").key) is None
    assert attempts.running() == [attempt.key]


def test_an_attempt_that_runs_or_ran_here_is_not_opened_again() -> None:
    attempts = Attempts()
    assert attempts.open(_attempt())
    assert not attempts.open(_attempt())
    attempts.close(_attempt().key)
    assert attempts.running() == []
    assert not attempts.open(_attempt())


def test_how_an_attempt_ended_is_known_before_and_after_it_is_said() -> None:
    attempts, attempt, ending = Attempts(), _attempt(), AttemptReport(worker_id="worker")
    attempts.open(attempt)
    assert attempts.ending(attempt.key) is None
    attempt.ending = ending
    assert attempts.ending(attempt.key) is ending
    attempts.close(attempt.key)
    assert attempts.find(attempt.key) is None
    assert attempts.ending(attempt.key) is ending


def test_an_attempt_that_was_given_back_may_come_again() -> None:
    attempts = Attempts()
    attempts.open(_attempt())
    attempts.forget(_attempt().key)
    assert attempts.open(_attempt())


def test_only_so_many_ended_attempts_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker_service.attempt._REMEMBERED", 1)
    attempts = Attempts()
    for number in (1, 2):
        attempts.open(_attempt(number))
        attempts.close(_attempt(number).key)
    assert attempts.open(_attempt(1))
    assert not attempts.open(_attempt(2))


def test_data_may_only_come_from_the_data_prefixes_and_models_may_also_go_to_the_artifacts_folder() -> None:
    settings = Settings(data_prefixes=("/data",), artifacts_url="/out")
    assert forbidden_location(_attempt(data="/data/x.csv").assignment, settings) is None
    assert forbidden_location(_attempt(artifact="/data/models/x").assignment, settings) is None
    complaint = forbidden_location(_attempt(data="/out/x.csv").assignment, settings)
    assert complaint is not None
    assert "'i'" in complaint
    assert "'/out/x.csv'" in complaint
    assert "['/data']" in complaint
    complaint = forbidden_location(_attempt(artifact="/elsewhere").assignment, settings)
    assert complaint is not None
    assert "/elsewhere" in complaint
    assert "/out" in complaint


def test_without_prefixes_nothing_can_be_read_or_written() -> None:
    settings = Settings(data_prefixes=(), artifacts_url="")
    assert forbidden_location(_attempt(data="/data/x.csv").assignment, settings) is not None
    assert forbidden_location(_attempt(artifact=str(Path("/tmp/x"))).assignment, settings) is not None


def test_checkpoints_are_written_to_and_read_from_allowed_places_only() -> None:
    settings = Settings(data_prefixes=("/data",), artifacts_url="/out")
    wanted = _attempt().assignment
    inside = Checkpoint(1, "/out/checkpoints/attempt-1/epoch-1", "sha256:0")
    assert forbidden_location(replace(wanted, checkpoint_uri="/data/c", resume_from=inside), settings) is None
    for outside in (
        replace(wanted, checkpoint_uri="/elsewhere"),
        replace(wanted, resume_from=replace(inside, uri="/elsewhere")),
    ):
        complaint = forbidden_location(outside, settings)
        assert complaint is not None
        assert "'/elsewhere'" in complaint
