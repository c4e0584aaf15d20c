"""What travels through the pipe between supervisor and trainer process."""

from __future__ import annotations

import math

import pytest

from hrnn_tuner.algorithms import DataChannel
from worker_service.messages import (
    EpochMetrics,
    JobEnded,
    PipeMessage,
    Ready,
    RunJob,
    Setup,
    Stage,
    StopJob,
    decode,
    encode,
)

RUN = RunJob(
    job=1,
    name="n",
    algorithm="a",
    hyperparameters={"i": 1, "f": 1.0, "s": "x", "b": True},
    channels={"c": DataChannel("/d", {"USER_ID": "who"}, "watch", 0.5), "e": DataChannel("/f")},
    objective_metric="m",
    maximize=True,
    seed=2**62,
    split_seed=-1,
    artifact_uri="/a",
    environment={"A": "ü"},
    work_dir="/w",
    fingerprint="ff",
    partial_tag="w",
)


@pytest.mark.parametrize(
    "message",
    [
        Setup(0, 2, ["cuda:0"], ["m:a"], "/c", "json", "INFO", warm_up=False),
        RUN,
        StopJob(3, keep=True),
        Ready(1, "cpu", ["a"]),
        Stage(1, "TRAINING"),
        EpochMetrics(1, 2, {"m": math.inf}),
        JobEnded(1, "COMPLETED", metrics={"m": 1e-300}),
        JobEnded(1, "FAILED", "OUT_OF_MEMORY", "why", retiring=True),
    ],
)
def test_a_message_arrives_as_it_was_sent(message: PipeMessage) -> None:
    assert decode(encode(message)) == message


def test_integers_floats_and_booleans_keep_their_types() -> None:
    received = decode(encode(RUN))
    assert isinstance(received, RunJob)
    assert {name: type(value) for name, value in received.hyperparameters.items()} == {
        "i": int,
        "f": float,
        "s": str,
        "b": bool,
    }


def test_nan_survives() -> None:
    received = decode(encode(EpochMetrics(1, 1, {"m": math.nan})))
    assert isinstance(received, EpochMetrics)
    assert math.isnan(received.metrics["m"])


@pytest.mark.parametrize("data", [b"{}", b'{"kind": "Unknown"}', b"no json"])
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"unknown pipe message|Expecting value"):
        decode(data)
