"""`hrnn-tuner serve`: the whole service in one process."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hrnn_tuner import failpoints
from hrnn_tuner.cli.exits import CommandError, ExitCode, say
from hrnn_tuner.settings import Settings
from hrnn_tuner.telemetry import configure_logging

DEFAULT_DATA_DIR = Path(".hrnn-tuner")
DEFAULT_LISTEN = "127.0.0.1:50051"


def serve(
    data_dir: Annotated[
        Path, typer.Option(help="Folder of the database and the artifacts; it is made when it is not there.")
    ] = DEFAULT_DATA_DIR,
    listen: Annotated[str, typer.Option(metavar="HOST:PORT", help="Address of the gRPC API.")] = DEFAULT_LISTEN,
    slots: Annotated[int, typer.Option(min=1, help="Training jobs that run at a time.")] = 1,
    data_prefix: Annotated[
        list[str] | None,
        typer.Option(
            help="Folder or s3:// prefix that jobs may read. May be repeated. Default: the working directory."
        ),
    ] = None,
) -> None:
    """Run API, scheduler and worker in one process, with SQLite and no other service.

    What was running when it ended goes on when it is started again with the same --data-dir. Ctrl-C ends it.

    For example:

        hrnn-tuner serve --slots 2 --data-prefix /data --data-prefix s3://bucket/
    """
    try:
        # Imported here: only this command needs the services, and the client is installed without them.
        from hrnn_tuner.cli.serve import CannotServe, run_embedded
    except ImportError as error:
        message = f"serving needs the services' libraries: pip install 'hrnn-tuner[all]' ({error})"
        raise CommandError(message, ExitCode.BAD_INPUT) from error
    settings = Settings()
    failpoints.arm(settings.failpoint)
    configure_logging(service="hrnn-tuner", log_format=settings.log_format, level=settings.log_level)
    try:
        run_embedded(
            data_dir=data_dir.resolve(),
            listen=listen,
            slots=slots,
            data_prefixes=tuple(data_prefix or [str(Path.cwd())]),
            ready=lambda address: say(f"listening on {address}; Ctrl-C ends it"),
        )
    except CannotServe as error:
        raise CommandError(str(error), ExitCode.CONFLICT) from error
