"""`hrnn-tuner submit`: starts a tuning job from a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from hrnn_tuner.cli.exits import CommandError, ExitCode
from hrnn_tuner.cli.following import follow_and_exit
from hrnn_tuner.cli.options import OutputFormat, OutputOption, connect
from hrnn_tuner.cli.output import print_choices, print_json, print_warnings
from hrnn_tuner.client import parse_request
from hrnn_tuner.v1.tuning_service_pb2 import CreateTuningJobRequest


def submit(
    context: typer.Context,
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE", help="Proto JSON of a TuningJobSpec or of a CreateTuningJobRequest; '-' reads stdin."
        ),
    ],
    name: Annotated[str | None, typer.Option(help="Name of the tuning job, in place of the file's.")] = None,
    data: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CHANNEL=URI",
            help="URI of a data channel, in place of the file's; how it is read stays. Paths are made absolute. May be "
            "repeated.",
        ),
    ] = None,
    validate_only: Annotated[bool, typer.Option("--validate-only", help="Check everything, start nothing.")] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Watch it until it has ended; exit 6 unless it COMPLETED.")
    ] = False,
    request_id: Annotated[
        str | None, typer.Option(help="UUID that makes repeating this command safe; default: a new one.")
    ] = None,
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """Start a tuning job.

    For example:

        hrnn-tuner submit tuning_job.json --data interactions=./interactions.csv --watch

        hrnn-tuner submit tuning_job.json --name second-try --validate-only

        jq '.random_seed = 7' tuning_job.json | hrnn-tuner submit - -o json

    Warnings, and what the service chose, go to stderr. Every mistake in the file is reported at once, with its field.
    """
    request = parse_request(_read(file))
    if name is not None:
        request.tuning_job.name = name
    _override_data(request, data or [])
    with connect(context) as client:
        answer = client.create_tuning_job(request, request_id=request_id, validate_only=validate_only)
        print_warnings(answer.warnings)
        job = answer.tuning_job
        print_choices(job.autotune_choices)
        if output is OutputFormat.JSON:
            print_json(answer, one_line=watch)
        elif request.validate_only or validate_only:
            typer.echo(f"tuning job {job.name!r} is valid; nothing was started")
        else:
            typer.echo(f"tuning job {job.name!r} started, random_seed {job.spec.random_seed}")
        if watch and not (request.validate_only or validate_only):
            follow_and_exit(client, job.name, output)


def _read(file: str) -> str:
    """Reads the file or stdin."""
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"cannot read {file}: {error}", ExitCode.BAD_INPUT) from error


def _override_data(request: CreateTuningJobRequest, overrides: list[str]) -> None:
    """Sets the URIs of data channels in every definition."""
    for override in overrides:
        channel, separator, uri = override.partition("=")
        if not (channel and separator and uri):
            raise CommandError(f"--data {override!r}: expected CHANNEL=URI", ExitCode.BAD_INPUT)
        for definition in request.tuning_job.training_job_definitions:
            known = next((item for item in definition.data_channels if item.name == channel), None)
            chosen = definition.data_channels.add(name=channel) if known is None else known
            chosen.uri = absolute(uri)


def absolute(uri: str) -> str:
    """Makes a relative path absolute: the server does not know this process's working directory."""
    return uri if "://" in uri else str(Path(uri).expanduser().resolve())
