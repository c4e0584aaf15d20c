"""`hrnn-tuner demo`: everything once, from data to recommendations."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hrnn_tuner.cli.serve_command import DEFAULT_DATA_DIR
from hrnn_tuner.telemetry import configure_logging


def demo(
    data: Annotated[
        Path | None,
        typer.Option(
            help="MovieLens 100K: the unpacked ml-100k folder, the RecBole wheel, or an interactions.csv. "
            "Default: downloaded from PyPI once."
        ),
    ] = None,
    data_dir: Annotated[
        Path, typer.Option(help="Folder of the database, the artifacts and the data set.")
    ] = DEFAULT_DATA_DIR,
    user: Annotated[
        str | None, typer.Option(metavar="ID", help="Whom to recommend to; default: the first user.")
    ] = None,
) -> None:
    """Tune HRNN on MovieLens 100K with Amazon Personalize's own example and recommend with the best model.

    Starts the whole service in this process, submits the tuning job over gRPC, watches it, and shows the result. Exits
    with 6 unless everything COMPLETED.

    For example:

        hrnn-tuner demo

        hrnn-tuner demo --data ~/Downloads/ml-100k --user 42
    """
    # Imported here: every other command starts faster without it.
    from hrnn_tuner.demo.demo import run_demo

    # The service's ordinary log lines would run through the live table.
    configure_logging(service="demo", log_format="console", level="WARNING")
    run_demo(data_dir=data_dir, data=data, user=user)
