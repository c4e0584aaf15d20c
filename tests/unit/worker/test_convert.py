"""The queue's messages and the worker's values."""

from __future__ import annotations

from pathlib import Path

import pytest

from hrnn_tuner.algorithms import DataChannel
from hrnn_tuner.broker.contract import Message
from hrnn_tuner.v1 import queue_pb2 as pb
from tests.support.worker_harness import assignment
from worker_service import convert
from worker_service.assignment import AttemptKey, InvalidTask


def _message(task: pb.Task) -> Message:
    return Message(type=convert.TASK_TYPE, body=task.SerializeToString())


def test_a_task_is_read_with_the_types_of_its_values(tmp_path: Path) -> None:
    wanted = assignment(tmp_path, 3, x=0.25, k=4, c="b", flag=True, environment={"A": "1"})
    wanted.data_channels.add(
        name="i", uri="/d", columns={"TIMESTAMP": "when"}, event_type="", event_value_threshold=0.0
    )
    wanted.data_channels.add(name="j", uri="/e")
    (found,) = convert.parse_task(_message(pb.Task(assignments=[wanted]))).assignments
    assert found.key == AttemptKey("job", 3, 1, "token-3")
    assert found.hyperparameters["x"] == 0.25
    assert found.hyperparameters["k"] == 4
    assert isinstance(found.hyperparameters["k"], int)
    assert found.hyperparameters["c"] == "b"
    assert found.hyperparameters["flag"] is True
    assert found.environment == {"A": "1"}
    assert found.channels == {"i": DataChannel("/d", {"TIMESTAMP": "when"}, "", 0.0), "j": DataChannel("/e")}
    assert (found.seed, found.split_seed, found.maximize) == (1, 2, True)


def test_a_task_of_a_scheduler_that_knew_no_options_is_read(tmp_path: Path) -> None:
    earlier = assignment(tmp_path, channels={"i": "/d"})
    (found,) = convert.parse_task(_message(pb.Task(assignments=[earlier]))).assignments
    assert found.channels == {"i": DataChannel("/d")}


def test_a_task_of_a_scheduler_that_knew_no_checkpoints_asks_for_none(tmp_path: Path) -> None:
    (found,) = convert.parse_task(_message(pb.Task(assignments=[assignment(tmp_path)]))).assignments
    assert (found.checkpoint_uri, found.resume_from) == ("", None)


def test_a_checkpoint_that_cannot_be_checked_is_no_task(tmp_path: Path) -> None:
    wanted = assignment(tmp_path, resume_from=pb.Checkpoint(step=3, uri="/c"))
    with pytest.raises(InvalidTask, match="checkpoint"):
        convert.parse_task(_message(pb.Task(assignments=[wanted])))


def test_a_task_may_carry_several_training_jobs(tmp_path: Path) -> None:
    task = pb.Task(assignments=[assignment(tmp_path, 1), assignment(tmp_path, 2)])
    assert [item.key.number for item in convert.parse_task(_message(task)).assignments] == [1, 2]


def test_what_is_no_task_is_refused(tmp_path: Path) -> None:
    good = assignment(tmp_path)
    no_token = assignment(tmp_path, ref=pb.AttemptRef(tuning_job_id="job", number=1, attempt=1))
    no_value = assignment(tmp_path)
    no_value.hyperparameters["x"].Clear()
    no_place = assignment(tmp_path, artifact_uri="")
    long_id = assignment(tmp_path, ref=pb.AttemptRef(tuning_job_id="j" * 101, number=1, attempt=1, token="t"))
    bodies = [pb.Task(), *(pb.Task(assignments=[item]) for item in (no_token, no_value, no_place, long_id))]
    messages = [
        Message(type="something.Else", body=pb.Task(assignments=[good]).SerializeToString()),
        Message(type=convert.TASK_TYPE, body=b"\xff\xff garbage"),
        *map(_message, bodies),
    ]
    for message in messages:
        with pytest.raises(InvalidTask):
            convert.parse_task(message)


def test_what_is_no_control_message_is_ignored() -> None:
    assert convert.parse_control(Message(type="something.Else", body=b"")) is None
    assert convert.parse_control(Message(type=convert.CONTROL_TYPE, body=b"\xff\xff")) is None


def test_a_report_is_signed_with_attempt_and_worker() -> None:
    key = AttemptKey("job", 2, 3, "secret")
    message = convert.report(key, "worker", 7, convert.metrics([("loss", 1, 0.5)]), {"traceparent": "t"})
    report = pb.Report.FromString(message.body).attempt
    assert (message.type, message.message_id, message.correlation_id) == (convert.REPORT_TYPE, "job/2/3/7", "job")
    assert message.headers == {"traceparent": "t"}
    assert message.persistent
    assert (report.ref.token, report.worker_id) == ("secret", "worker")
    assert [(p.metric_name, p.step, p.value) for p in report.metrics.points] == [("loss", 1, 0.5)]


def test_a_long_reason_is_cut_to_what_the_contract_allows() -> None:
    assert len(convert.failed("ALGORITHM_ERROR", "x" * 5000).ended.failure_reason) == 1024
    assert len(convert.lost("x" * 5000).ended.failure_reason) == 1024


def test_the_fingerprint_tells_attempts_apart_without_the_token() -> None:
    key = AttemptKey("job", 1, 1, "secret")
    assert "secret" not in key.fingerprint
    assert key.fingerprint == AttemptKey("job", 1, 1, "secret").fingerprint
    assert key.fingerprint != AttemptKey("job", 1, 1, "other").fingerprint
