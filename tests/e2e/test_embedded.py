"""`hrnn-tuner serve`: everything in one process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hrnn_tuner.client import TuningClient
from hrnn_tuner.v1 import training_job_pb2, tuning_job_pb2
from tests.support.ports import free_port
from tests.support.specifications import synthetic_spec
from tests.support.stack import COLD, REPOSITORY, SYNTHETIC
from tests.support.synthetic_algorithm import score
from tests.support.waiting import wait_until

PROGRAM = str(REPOSITORY / ".venv/bin/hrnn-tuner")
END_TIMEOUT_S = 100.0


@contextmanager
def serving(data_dir: Path, address: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A server process that listens; killed at the end if it still runs."""
    settings = {f"HRNN_TUNER_{name}": value for name, value in (COLD | {"ALGORITHMS": SYNTHETIC}).items()}
    environment = os.environ | settings | {"PYTHONPATH": str(REPOSITORY)}
    command = [PROGRAM, "serve", "--data-dir", str(data_dir), "--listen", address, "--slots", "2"]
    with log.open("ab") as output:
        process = subprocess.Popen(command, env=environment, cwd=data_dir.parent, stdout=output, stderr=output)
    try:
        wait_until(
            lambda: process.poll() is not None or f"listening on {address}" in log.read_text(),
            60,
            "the server to listen",
        )
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_killed_server_goes_on_where_it_was(tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_port()}"
    with TuningClient(address) as client:
        with serving(tmp_path / "state", address, tmp_path / "first.log") as process:
            client.create_tuning_job(
                synthetic_spec("survivor", max_training_jobs=6, max_parallel=2, epochs=4, epoch_seconds=0.25)
            )
            for event in client.watch_tuning_job("survivor"):
                if event.training_job.HasField("end_time"):
                    break
            process.send_signal(signal.SIGKILL)
            process.wait()
        with serving(tmp_path / "state", address, tmp_path / "second.log"):
            ended = client.wait("survivor", timeout_s=END_TIMEOUT_S)
    assert ended.state == tuning_job_pb2.TUNING_JOB_STATE_COMPLETED
    assert ended.training_job_state_counters.completed == 6


def test_training_jobs_that_are_stopped_early_keep_their_models(tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_port()}"
    spec = synthetic_spec("early", max_training_jobs=10, max_parallel=2, epochs=9, epoch_seconds=0.1)
    spec |= {"strategy": "STRATEGY_HYPERBAND", "strategy_config": {"hyperband": {"min_resource": 1}}}
    with TuningClient(address) as client, serving(tmp_path / "state", address, tmp_path / "log"):
        client.create_tuning_job(spec)
        ended = client.wait("early", timeout_s=END_TIMEOUT_S)
        rows = list(client.list_training_jobs("early"))
    assert ended.state == tuning_job_pb2.TUNING_JOB_STATE_COMPLETED
    assert ended.spec.strategy_config.hyperband.max_resource == 9
    assert ended.objective_status_counters.succeeded == 10
    early = [row for row in rows if row.secondary_state == training_job_pb2.SECONDARY_STATE_EARLY_STOPPED]
    assert early
    for row in early:
        epochs = json.loads((Path(row.artifact_uri) / "manifest.json").read_text())["epochs"]
        assert 1 <= epochs < 9
        tuned = row.tuned_hyperparameters
        assert row.final_objective_value == score(x=tuned["x"].double_value, k=tuned["k"].integer_value, epoch=epochs)


def files_of_checkpoints(state: Path) -> list[str]:
    """Unlike a glob, a walk does not mind folders that go while it looks."""
    return [name for folder, _, names in os.walk(state) if "checkpoints" in Path(folder).parts for name in names]


def test_a_promoted_training_job_goes_on_where_the_other_one_paused(tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_port()}"
    spec = synthetic_spec("promoted", max_training_jobs=14, max_parallel=2, epochs=9, epoch_seconds=0.1)
    spec |= {"strategy": "STRATEGY_ASHA", "strategy_config": {"hyperband": {"min_resource": 1}}}
    with TuningClient(address) as client, serving(tmp_path / "state", address, tmp_path / "log"):
        client.create_tuning_job(spec)
        ended = client.wait("promoted", timeout_s=END_TIMEOUT_S)
        rows = {row.number: row for row in client.list_training_jobs("promoted")}
        curves = {number: list(client.list_metrics(row.name)) for number, row in rows.items()}
        wait_until(lambda: not files_of_checkpoints(tmp_path / "state"), message="the end of all checkpoints")
    assert ended.state == tuning_job_pb2.TUNING_JOB_STATE_COMPLETED
    assert ended.training_job_state_counters.completed + ended.training_job_state_counters.stopped == 14
    promoted = [row for row in rows.values() if row.proposal.continues]
    assert promoted
    for row in promoted:
        before = rows[row.proposal.continues]
        assert (before.proposal.until_epoch, row.proposal.until_epoch) in {(1, 3), (3, 9)}
        assert dict(row.hyperparameters) == dict(before.hyperparameters)
        facts = json.loads((Path(row.artifact_uri) / "manifest.json").read_text())
        assert facts["first_epoch"] > 1, "it began at the checkpoint"
        assert facts["epochs"] >= row.proposal.until_epoch
        assert [point.step for point in curves[row.number]] == list(range(1, facts["epochs"] + 1)), "one whole curve"
        assert row.final_objective_value >= before.final_objective_value


def test_two_servers_never_share_a_folder(tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_port()}"
    with serving(tmp_path / "state", address, tmp_path / "first.log"):
        second = subprocess.run(
            [PROGRAM, "serve", "--data-dir", str(tmp_path / "state"), "--listen", "127.0.0.1:0"],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert second.returncode == 4
    assert "is in use by process" in second.stderr
    assert "Traceback" not in second.stderr


def test_a_taken_port_is_one_clear_error(tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_port()}"
    with serving(tmp_path / "state", address, tmp_path / "first.log"):
        second = subprocess.run(
            [PROGRAM, "serve", "--data-dir", str(tmp_path / "other"), "--listen", address],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert second.returncode == 4
    assert f"cannot listen on {address}" in second.stderr
    assert "Traceback" not in second.stderr


def test_sigterm_ends_the_server_in_order(tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_port()}"
    with serving(tmp_path / "state", address, tmp_path / "first.log") as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(40) == 0
