"""`hrnn-tuner list`, `describe`, `stop` and `delete`: commands about whole tuning jobs."""

from __future__ import annotations

import enum
from typing import Annotated

import typer

from hrnn_tuner.cli.job_description import describe_job
from hrnn_tuner.cli.options import JobArgument, OutputFormat, OutputOption, connect
from hrnn_tuner.cli.output import console, objective_text, print_json, short_name, state_text, table, time_text
from hrnn_tuner.cli.watch_state import WatchState
from hrnn_tuner.client import TuningJobFilter
from hrnn_tuner.v1.tuning_job_pb2 import TuningJobState
from hrnn_tuner.v1.tuning_service_pb2 import DeleteTuningJobResponse, ListTuningJobsResponse, StopTuningJobResponse


class JobState(enum.StrEnum):
    """States by which a listing can be narrowed down."""

    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    STOPPING = "STOPPING"
    STOPPED = "STOPPED"
    DELETING = "DELETING"


class JobOrder(enum.StrEnum):
    """Orders of a listing."""

    NAME = "name"
    STATE = "state"
    CREATED = "created"


_ORDERS = {
    JobOrder.NAME: "TUNING_JOB_ORDER_NAME",
    JobOrder.STATE: "TUNING_JOB_ORDER_STATE",
    JobOrder.CREATED: "TUNING_JOB_ORDER_CREATE_TIME",
}


def list_tuning_jobs(
    context: typer.Context,
    state: Annotated[JobState | None, typer.Option(case_sensitive=False, help="Only jobs in this state.")] = None,
    name_contains: Annotated[str, typer.Option(help="Only names that contain this.")] = "",
    sort: Annotated[JobOrder, typer.Option(help="Order.")] = JobOrder.CREATED,
    reverse: Annotated[bool, typer.Option("--reverse", help="The other way round.")] = False,
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """List tuning jobs."""
    filters = TuningJobFilter(order_by=_ORDERS[sort], descending=reverse, name_contains=name_contains)
    if state is not None:
        filters["state"] = f"TUNING_JOB_STATE_{state}"
    with connect(context) as client:
        jobs = list(client.list_tuning_jobs(**filters))
    if output is OutputFormat.JSON:
        print_json(ListTuningJobsResponse(tuning_jobs=jobs))
        return
    result = table("", "name", "state", "ended>", "best objective>", "created")
    for job in jobs:
        best = objective_text(job.best_training_job) if job.HasField("best_training_job") else "-"
        limit = job.spec.resource_limits.max_number_of_training_jobs or "?"
        ended = f"{WatchState(job).ended}/{limit}"
        result.add_row(job.name, state_text(job), ended, best, time_text(job.create_time))
    console().print(result if jobs else "no tuning jobs")


def describe(context: typer.Context, name: JobArgument, output: OutputOption = OutputFormat.TEXT) -> None:
    """Show a tuning job: what was asked for, how far it is, and the best training job."""
    with connect(context) as client:
        job = client.get_tuning_job(name)
    if output is OutputFormat.JSON:
        print_json(job)
    else:
        console().print(describe_job(job))


def stop(context: typer.Context, name: JobArgument, output: OutputOption = OutputFormat.TEXT) -> None:
    """Stop a tuning job: launches nothing more, ends what runs. Repeating it changes nothing."""
    with connect(context) as client:
        job = client.stop_tuning_job(name)
    if output is OutputFormat.JSON:
        print_json(StopTuningJobResponse(tuning_job=job))
    else:
        typer.echo(f"tuning job {job.name!r} is {short_name(TuningJobState, job.state)}")


def delete(context: typer.Context, name: JobArgument, output: OutputOption = OutputFormat.TEXT) -> None:
    """Delete the records of an ended tuning job; its artifacts stay."""
    with connect(context) as client:
        client.delete_tuning_job(name)
    if output is OutputFormat.JSON:
        print_json(DeleteTuningJobResponse())
    else:
        typer.echo(f"tuning job {name!r} is deleted; its artifacts are kept")
