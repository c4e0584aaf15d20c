"""`hrnn-tuner logs`: what a training job's trainer wrote."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC
from typing import Annotated

import typer

from hrnn_tuner.cli.exits import CommandError, ExitCode
from hrnn_tuner.cli.options import JobArgument, OutputFormat, OutputOption, connect
from hrnn_tuner.cli.output import print_json, short_name
from hrnn_tuner.client import TuningClient
from hrnn_tuner.v1.training_job_pb2 import (
    TRAINING_JOB_STATE_IN_PROGRESS,
    TRAINING_JOB_STATE_STOPPING,
    LogLine,
    LogSource,
    TrainingJob,
)

#: Seconds between two looks for new lines; a worker sends them about as often.
FOLLOW_INTERVAL_S = 1.0
_RUNNING = {TRAINING_JOB_STATE_IN_PROGRESS, TRAINING_JOB_STATE_STOPPING}


def logs(
    context: typer.Context,
    name: JobArgument,
    training_job: Annotated[str, typer.Argument(metavar="TRAINING_JOB", help="Its number or its name.")],
    attempt: Annotated[int, typer.Option(min=0, help="Only this attempt; 0 for all.")] = 0,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the training job has ended.")] = False,
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """Print the log of a training job: what its trainer wrote, and what became of each attempt."""
    with connect(context) as client:
        job = _find(client, name, training_job)
        reader = _LogText()
        for line in _lines(client, job.name, attempt, follow=follow):
            if output is OutputFormat.JSON:
                print_json(line, one_line=True)
            else:
                reader.print(line)


def escaped(text: str) -> str:
    """The text with everything escaped that a terminal would act upon or not show."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def _find(client: TuningClient, name: str, training_job: str) -> TrainingJob:
    """The training job of this number or name.

    Raises:
        CommandError: When the tuning job has none like that.
    """
    if training_job.isdecimal():
        found = [job for job in client.list_training_jobs(name) if job.number == int(training_job)]
    else:
        found = [client.get_training_job(training_job)]
    for job in found:
        if job.tuning_job_name.lower() == name.lower():
            return job
    raise CommandError(f"tuning job {name!r} has no training job {training_job!r}", ExitCode.NOT_FOUND)


def _lines(client: TuningClient, name: str, attempt: int, *, follow: bool) -> Iterator[LogLine]:
    """All lines up to now, or up to the end of the training job."""
    token = ""
    while True:
        running = follow and client.get_training_job(name).state in _RUNNING  # before reading: nothing is missed
        for page in client.list_training_job_logs(name, attempt=attempt, resume_token=token):
            token = page.resume_token
            yield from page.lines
        if not running:
            return
        time.sleep(FOLLOW_INTERVAL_S)


class _LogText:
    """Prints lines for people, and where lines are missing."""

    def __init__(self) -> None:
        self._attempt = 0
        self._end = 0

    def print(self, line: LogLine) -> None:
        """Prints a line behind the one before."""
        if line.attempt != self._attempt:
            self._attempt, self._end = line.attempt, 0
        if line.position > self._end:
            typer.echo(f"[{line.position - self._end} bytes of attempt {line.attempt} were dropped here]")
        self._end = line.position + len(line.text.encode()) + 1
        at = line.time.ToDatetime(tzinfo=UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
        source = short_name(LogSource, line.source).lower()
        typer.echo(f"{at} {line.attempt} {source:6} {escaped(line.text)}")
