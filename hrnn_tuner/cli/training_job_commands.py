"""`hrnn-tuner training-jobs` and `metrics`: commands about single training jobs."""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.table import Table

from hrnn_tuner.cli.options import JobArgument, OutputFormat, OutputOption, connect
from hrnn_tuner.cli.output import console, objective_text, print_json, state_text, table, value_text
from hrnn_tuner.cli.sparkline import sparkline
from hrnn_tuner.cli.watch_state import objective_metric
from hrnn_tuner.client import TrainingJobFilter
from hrnn_tuner.v1.training_job_pb2 import MetricPoint, TrainingJob
from hrnn_tuner.v1.tuning_job_pb2 import OBJECTIVE_TYPE_MINIMIZE, TuningJob
from hrnn_tuner.v1.tuning_service_pb2 import ListMetricsResponse, ListTrainingJobsResponse

#: Widest table of epochs: more metrics than this are chosen by --metric.
MAX_METRIC_COLUMNS = 6


class TrainingJobSort(enum.StrEnum):
    """Orders of training jobs."""

    NUMBER = "number"
    OBJECTIVE = "objective"
    STATE = "state"


_ORDERS = {
    TrainingJobSort.NUMBER: "TRAINING_JOB_ORDER_NAME",
    TrainingJobSort.OBJECTIVE: "TRAINING_JOB_ORDER_FINAL_OBJECTIVE_VALUE",
    TrainingJobSort.STATE: "TRAINING_JOB_ORDER_STATE",
}


def training_jobs(
    context: typer.Context,
    name: JobArgument,
    sort: Annotated[
        TrainingJobSort,
        typer.Option(help="Order; 'objective' puts the best first and leaves out those without a value."),
    ] = TrainingJobSort.NUMBER,
    reverse: Annotated[bool, typer.Option("--reverse", help="The other way round.")] = False,
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """List the training jobs of a tuning job with hyperparameters and objective."""
    with connect(context) as client:
        job = client.get_tuning_job(name)
        best_last = sort is TrainingJobSort.OBJECTIVE and not _is_minimized(job)
        filters = TrainingJobFilter(order_by=_ORDERS[sort], descending=best_last != reverse)
        jobs = list(client.list_training_jobs(name, **filters))
    if output is OutputFormat.JSON:
        print_json(ListTrainingJobsResponse(training_jobs=jobs))
    else:
        console().print(training_job_table(job, jobs) if jobs else "no training jobs")


def _is_minimized(job: TuningJob) -> bool:
    """Whether the smallest objective is the best."""
    return any(item.objective.type == OBJECTIVE_TYPE_MINIMIZE for item in job.spec.training_job_definitions)


def training_job_table(job: TuningJob, jobs: Sequence[TrainingJob]) -> Table:
    """Training jobs in the order given, the best one highlighted."""
    names = sorted({name for item in jobs for name in item.tuned_hyperparameters})
    metric = objective_metric(job) or "objective"
    result = table("", "#>", "name", "state", *(f"{name}>" for name in names), f"{metric}>", "")
    for item in jobs:
        best = job.HasField("best_training_job") and item.number == job.best_training_job.number
        values = (item.tuned_hyperparameters.get(name) for name in names)
        result.add_row(
            str(item.number),
            item.name,
            state_text(item),
            *("-" if value is None else value_text(value) for value in values),
            objective_text(item),
            "★ best" if best else item.failure_reason,
            style="bold green" if best else "",
        )
    return result


def metrics(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="TRAINING_JOB_NAME", help="Name of the training job.")],
    metric: Annotated[list[str] | None, typer.Option(help="Only this metric. May be repeated.")] = None,
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """Show the metrics of a training job: how each one went, and its value at every epoch."""
    with connect(context) as client:
        points = list(client.list_metrics(name, metric_names=metric or ()))
    if output is OutputFormat.JSON:
        print_json(ListMetricsResponse(points=points))
        return
    if not points:
        typer.echo("no metrics yet")
        return
    screen = console()
    screen.print(_course(points))
    screen.print()
    screen.print(_epochs(points))
    hidden = _metric_names(points)[MAX_METRIC_COLUMNS:]
    if hidden:
        screen.print(f"not shown: {', '.join(hidden)}; choose with --metric")


def _metric_names(points: Sequence[MetricPoint]) -> list[str]:
    """The metrics in alphabetical order."""
    return sorted({point.metric_name for point in points})


def _course(points: Sequence[MetricPoint]) -> Table:
    """One line per metric: first, last, extremes and a drawing."""
    series: dict[str, list[float]] = defaultdict(list)
    for point in points:
        series[point.metric_name].append(point.value)
    result = table("", "metric", "first>", "last>", "min>", "max>", "")
    for metric, values in sorted(series.items()):
        figures = (values[0], values[-1], min(values), max(values))
        result.add_row(metric, *(f"{figure:.6g}" for figure in figures), sparkline(values))
    return result


def _epochs(points: Sequence[MetricPoint]) -> Table:
    """One line per epoch, with the attempt that trained it where there were several."""
    shown = _metric_names(points)[:MAX_METRIC_COLUMNS]
    rows: dict[tuple[int, int], dict[str, float]] = defaultdict(dict)
    for point in points:
        rows[point.step, point.attempt][point.metric_name] = point.value
    attempts = len({attempt for _, attempt in rows}) > 1
    result = table("", *(["attempt>"] if attempts else []), "epoch>", *(f"{name}>" for name in shown))
    for (step, attempt), values in sorted(rows.items()):
        cells = (f"{values[name]:.6g}" if name in values else "-" for name in shown)
        result.add_row(*([str(attempt)] if attempts else []), str(step), *cells)
    return result
