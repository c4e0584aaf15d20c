"""The command as a process of its own: what a terminal and a signal do to it."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import threading

from tests.unit.client.canned import completed_job_events, event, tuning_job
from tests.unit.client.fake_service import FakeService

COMMAND = [sys.executable, "-c", "from hrnn_tuner.cli.main import main; main()"]


def read_all(terminal: int) -> str:
    """Reads a terminal until its last user has closed it, which Linux reports as an error."""
    parts: list[bytes] = []
    try:
        while part := os.read(terminal, 65536):
            parts.append(part)
    except OSError:
        pass
    return b"".join(parts).decode()


def test_on_a_terminal_a_watch_ends_with_the_table_of_all_training_jobs(service: FakeService) -> None:
    service.answers("WatchTuningJob", completed_job_events())
    ours, theirs = pty.openpty()
    command = [*COMMAND, "--server", service.address, "watch", "demo"]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120", "LINES": "40"}
    with subprocess.Popen(command, stdout=theirs, stderr=subprocess.PIPE, env=environment) as process:
        os.close(theirs)
        shown = read_all(ours)
        assert process.wait(30) == 0
    os.close(ours)
    assert "2/2 ended" in shown
    assert "★ best" in shown


def test_an_interrupted_watch_says_that_the_job_goes_on(service: FakeService) -> None:
    service.answers("WatchTuningJob", [event("1", tuning_job()), threading.Event()])
    # A shell lets what it runs in the background ignore SIGINT, tests and their children too. Not undone by a function
    # of Popen, for which it forks: gRPC's handlers of forks may abort a process that uses it.
    command = ["env", "--default-signal=INT", *COMMAND, "--server", service.address, "watch", "demo"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        assert process.stdout is not None
        assert "IN_PROGRESS" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said == "no longer watching; the tuning job goes on. Stop it with: hrnn-tuner stop demo\n"
