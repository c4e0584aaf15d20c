"""Runs the demonstration: data, server, tuning job, result, recommendations."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Protocol

import typer

from hrnn_tuner.cli.exits import CommandError, ExitCode
from hrnn_tuner.cli.following import exit_unless_completed, follow
from hrnn_tuner.cli.options import OutputFormat
from hrnn_tuner.cli.output import console, print_warnings
from hrnn_tuner.cli.recommend_command import recommendation_table
from hrnn_tuner.cli.recommendation import best_model, read_titles, recommend
from hrnn_tuner.cli.training_job_commands import training_job_table
from hrnn_tuner.client import TuningClient, parse_request
from hrnn_tuner.demo.movielens import Dataset, prepare
from hrnn_tuner.demo.ratings_formats import DatasetError
from hrnn_tuner.v1.training_job_pb2 import TRAINING_JOB_STATE_COMPLETED
from hrnn_tuner.v1.tuning_job_pb2 import TuningJob, TuningJobSpec

SLOTS = 2
RECOMMENDATIONS = 10


class Server(Protocol):
    """A running server."""

    @property
    def address(self) -> str:
        """host:port of its API."""


#: Starts a server: data folder and allowed data prefixes in, a context manager out.
ServerFactory = Callable[[Path, Sequence[str]], AbstractContextManager[Server]]


def embedded_server(data_dir: Path, data_prefixes: Sequence[str]) -> AbstractContextManager[Server]:
    """Starts the whole service in this process, on a free port.

    Raises:
        CommandError: When the services' libraries are not installed, or the folder is in use.
    """
    try:
        from hrnn_tuner.cli.serve import CannotServe, EmbeddedServer
    except ImportError as error:
        message = f"the demonstration needs the services' libraries: pip install 'hrnn-tuner[all]' ({error})"
        raise CommandError(message, ExitCode.BAD_INPUT) from error
    try:
        return EmbeddedServer(data_dir=data_dir, listen="127.0.0.1:0", slots=SLOTS, data_prefixes=data_prefixes)
    except CannotServe as error:
        raise CommandError(str(error), ExitCode.CONFLICT) from error


def run_demo(
    *, data_dir: Path, data: Path | None, user: str | None, start_server: ServerFactory = embedded_server
) -> None:
    """Runs everything and says what it does.

    Args:
        data_dir: Folder of the database, the artifacts and the data set.
        data: See `hrnn_tuner.demo.movielens.prepare`.
        user: Whom to recommend to; None for the first user of the data.
        start_server: Starts the server.

    Raises:
        CommandError: When a step cannot be done.
        typer.Exit: When the tuning job or a training job is not COMPLETED.
    """
    data_dir = data_dir.resolve()
    _step(1, "the data: MovieLens 100K (GroupLens; for research, see https://grouplens.org/datasets/movielens/100k/)")
    try:
        dataset = prepare(data_dir / "movielens", data, typer.echo)
        user = user or dataset.first_user()
    except DatasetError as error:
        raise CommandError(str(error), ExitCode.BAD_INPUT) from error
    _step(2, f"the service: API, scheduler and a worker with {SLOTS} slots in this process, state in {data_dir}")
    with start_server(data_dir, [str(dataset.interactions.parent)]) as server, TuningClient(server.address) as client:
        typer.echo(f"listening on {server.address}")
        job = _tune(client, dataset)
        _show_result(client, job)
    _step(5, f"the best model's {RECOMMENDATIONS} recommendations for user {user}")
    titles = read_titles(dataset.titles) if dataset.titles is not None else {}
    found = recommend(best_model(job), user, RECOMMENDATIONS, filter_seen=True)
    console().print(recommendation_table(found, titles))
    _say_how_to_go_on(data_dir, dataset, job, user)


def demo_spec(interactions: Path, now: datetime) -> TuningJobSpec:
    """The example of Amazon Personalize's guide, under a name of its own for each run."""
    document = json.loads((files("hrnn_tuner.demo") / "tuning_job.json").read_text(encoding="utf-8"))
    spec = parse_request(document).tuning_job
    spec.name = f"{spec.name}-{now:%y%m%d%H%M%S}"
    spec.training_job_definitions[0].data_channels[0].uri = str(interactions)
    return spec


def _tune(client: TuningClient, dataset: Dataset) -> TuningJob:
    """Submits the example and follows it to its end."""
    _step(3, "the tuning job: bptt 20 to 40 and recency_mask, hidden_dimension 55, maximise precision_at_25")
    answer = client.create_tuning_job(demo_spec(dataset.interactions, datetime.now(UTC)))
    print_warnings(answer.warnings)
    return follow(client, answer.tuning_job.name, OutputFormat.TEXT)


def _show_result(client: TuningClient, job: TuningJob) -> None:
    """The training jobs, the best first; ends the command when any of them did not complete."""
    _step(4, "the result")
    ranked = list(
        client.list_training_jobs(job.name, order_by="TRAINING_JOB_ORDER_FINAL_OBJECTIVE_VALUE", descending=True)
    )
    others = [item for item in client.list_training_jobs(job.name) if not item.HasField("final_objective_value")]
    console().print(training_job_table(job, [*ranked, *others]))
    exit_unless_completed(job)
    failed = [item.name for item in (*ranked, *others) if item.state != TRAINING_JOB_STATE_COMPLETED]
    if failed:
        raise CommandError(f"not completed: {', '.join(failed)}", ExitCode.NOT_COMPLETED)
    typer.echo(f"best model: {job.best_training_job.artifact_uri}")


def _say_how_to_go_on(data_dir: Path, dataset: Dataset, job: TuningJob, user: str) -> None:
    """The commands that work on what the demonstration leaves behind."""
    titles = f" --titles {dataset.titles}" if dataset.titles is not None else ""
    typer.echo("\nTo go on, start the service on what was made here, and leave it running:")
    typer.echo(f"  hrnn-tuner serve --data-dir {data_dir} --data-prefix {dataset.interactions.parent}")
    typer.echo("and in another terminal:")
    typer.echo(f"  hrnn-tuner describe {job.name}")
    typer.echo(f"  hrnn-tuner metrics {job.best_training_job.name}")
    typer.echo(f"  hrnn-tuner recommend --job {job.name} --user {user}{titles}")


def _step(number: int, text: str) -> None:
    """Announces a step."""
    typer.secho(f"\n{number}. {text[0].upper()}{text[1:]}", bold=True)
