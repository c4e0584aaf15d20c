"""`hrnn-tuner watch`: follows a tuning job."""

from __future__ import annotations

from typing import Annotated

import typer

from hrnn_tuner.cli.following import follow_and_exit
from hrnn_tuner.cli.options import JobArgument, OutputFormat, OutputOption, connect


def watch(
    context: typer.Context,
    name: JobArgument,
    resume_token: Annotated[
        str, typer.Option(help="Begin behind this event; default: at the creation of the job.")
    ] = "",
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """Watch a tuning job until it has ended.

    Shows a live table on a terminal and plain lines elsewhere; reconnects by itself while the server is away for up to
    a minute. Ctrl-C ends the watch, not the tuning job. Exits with 6 unless the job COMPLETED.

    For example:

        hrnn-tuner watch my-job

        hrnn-tuner watch my-job > my-job.log

        hrnn-tuner watch my-job -o json | jq -r 'select(.metrics) | .metrics.training_job_name'
    """
    with connect(context) as client:
        follow_and_exit(client, name, output, resume_token=resume_token)
