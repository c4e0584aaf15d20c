"""`hrnn-tuner replay`: makes every decision of a tuning job again, from its event log alone."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from hrnn_tuner.cli.exits import CommandError, ExitCode, say
from hrnn_tuner.cli.operator_database import operator_database
from hrnn_tuner.cli.options import JobArgument, OutputFormat, OutputOption
from hrnn_tuner.cli.serve_command import DEFAULT_DATA_DIR
from hrnn_tuner.domain.access import DEFAULT_PROJECT
from hrnn_tuner.domain.errors import OutOfRange
from hrnn_tuner.settings import Settings


def replay(
    name: JobArgument,
    data_dir: Annotated[
        Path, typer.Option(help="Folder of an embedded server; HRNN_TUNER_DATABASE_URL has precedence.")
    ] = DEFAULT_DATA_DIR,
    project: Annotated[str, typer.Option(help="Project of the tuning job.")] = DEFAULT_PROJECT,
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """Check that every decision of a tuning job follows from its event log.

    Reads the database, not the API. Every proposal is made again from what was known at that revision, every early stop
    is decided again from the stored metrics, and every best training job is selected again from the objective values. A
    difference is an error: it is listed, and the exit code is 1. Proposals of a model are compared to the last bit, so
    replay with the library versions that the tuning job had. Early stopping is decided with the present settings.

    For example:

        hrnn-tuner replay nightly --data-dir .hrnn-tuner
    """
    try:
        # Imported here: only this command needs the scheduler's libraries, and the client is installed without them.
        from hrnn_tuner.store import Store
        from scheduler_service.early_stopping import MedianActivation
        from scheduler_service.replay import replay as follow
    except ImportError as error:
        message = f"replaying needs the scheduler's libraries: pip install 'hrnn-tuner[scheduler,bayesian]' ({error})"
        raise CommandError(message, ExitCode.BAD_INPUT) from error
    settings = Settings()
    store = Store(operator_database(settings, data_dir))
    activation = MedianActivation(settings.early_stopping_min_epoch, settings.early_stopping_min_training_jobs)
    terminal = Console(stderr=True)
    try:
        with Progress(console=terminal, transient=True, disable=not terminal.is_terminal) as progress:
            task = progress.add_task("revisions", total=None)
            found = follow(
                store,
                name,
                activation,
                lambda done, all_: progress.update(task, completed=done, total=all_),
                project=project,
            )
    except OutOfRange as error:
        raise CommandError(f"{error}; it cannot be replayed", ExitCode.CONFLICT) from error
    finally:
        store.close()
    if found is None:
        raise CommandError(f"there is no tuning job {name!r}", ExitCode.NOT_FOUND)
    if output is OutputFormat.JSON:
        typer.echo(json.dumps(dataclasses.asdict(found)))
    else:
        typer.echo(
            f"{found.events} revisions: {found.proposals} proposals, {found.stops} early stops, "
            f"{found.selections} selections of the best"
        )
        typer.echo("everything follows" if not found.differences else f"{len(found.differences)} differences:")
        for text in found.differences:
            typer.echo(f"  {text}")
    if found.differences:
        say(f"error: {name} does not follow from its event log")
        raise typer.Exit(ExitCode.UNEXPECTED)
