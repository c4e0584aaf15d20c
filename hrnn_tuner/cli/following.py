"""Follows a tuning job to its end, in the way that suits where the output goes."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import typer
from rich.live import Live

from hrnn_tuner.cli.exits import CommandError, ExitCode, say
from hrnn_tuner.cli.options import OutputFormat
from hrnn_tuner.cli.output import console, print_json, short_name, time_text
from hrnn_tuner.cli.watch_state import WatchState
from hrnn_tuner.cli.watch_view import WatchView
from hrnn_tuner.client import TuningClient, is_terminal
from hrnn_tuner.v1.tuning_job_pb2 import TUNING_JOB_STATE_COMPLETED, TuningJob, TuningJobState
from hrnn_tuner.v1.tuning_service_pb2 import WatchTuningJobResponse

#: Lines of the live view around its table, and a line to spare.
_HEADER_LINES = 6


def follow(client: TuningClient, name: str, output: OutputFormat, *, resume_token: str = "") -> TuningJob:
    """Shows a tuning job until it has ended: JSON lines, a live table on a terminal, or plain lines elsewhere.

    Returns:
        The tuning job as it ended.

    Raises:
        CommandError: When it was deleted.
        TuningError: When the server stays away.
    """
    state = WatchState()
    events = client.watch_tuning_job(name, resume_token=resume_token)
    if output is OutputFormat.JSON:
        _print_json_lines(events, state)
    elif sys.stdout.isatty():
        _show_live(events, state)
    else:
        _print_lines(events, state)
    if state.deleted:
        raise CommandError(f"tuning job {name!r} was deleted", ExitCode.NOT_COMPLETED)
    if state.job is not None and is_terminal(state.job):
        return state.job
    return client.get_tuning_job(name)  # the resume token lay behind the last event


def follow_and_exit(client: TuningClient, name: str, output: OutputFormat, *, resume_token: str = "") -> None:
    """Follows a tuning job that does not depend on this process, and ends the command unless it COMPLETED."""
    try:
        job = follow(client, name, output, resume_token=resume_token)
    except KeyboardInterrupt:
        say(f"no longer watching; the tuning job goes on. Stop it with: hrnn-tuner stop {name}")
        raise
    exit_unless_completed(job)


def exit_unless_completed(job: TuningJob) -> None:
    """Ends the command with `ExitCode.NOT_COMPLETED` when the job ended in another way than COMPLETED."""
    if job.state == TUNING_JOB_STATE_COMPLETED:
        return
    reason = f": {job.failure_reason}" if job.failure_reason else ""
    say(f"tuning job {job.name!r} is {short_name(TuningJobState, job.state)}{reason}")
    raise typer.Exit(ExitCode.NOT_COMPLETED)


def _print_json_lines(events: Iterator[WatchTuningJobResponse], state: WatchState) -> None:
    """One event a line."""
    for event in events:
        state.apply(event)
        print_json(event, one_line=True)


def _print_lines(events: Iterator[WatchTuningJobResponse], state: WatchState) -> None:
    """What is new, with its time."""
    for event in events:
        for line in state.apply(event):
            typer.echo(f"{time_text(event.time)}  {line}")


def _show_live(events: Iterator[WatchTuningJobResponse], state: WatchState) -> None:
    """A table that is drawn anew four times a second."""
    screen = console()
    view = WatchView(state, max_rows=max(screen.height - _HEADER_LINES, 4))
    with Live(view, console=screen, refresh_per_second=4):
        for event in events:
            view.apply(event)
