"""Prints messages: proto JSON for machines, short texts and tables for people."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from datetime import UTC

import typer
from google.protobuf import json_format
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

from hrnn_tuner.v1.parameters_pb2 import HyperparameterValue
from hrnn_tuner.v1.training_job_pb2 import SecondaryState, TrainingJob
from hrnn_tuner.v1.tuning_job_pb2 import AutotuneChoice, TuningJob, TuningJobState
from hrnn_tuner.wire_values import from_wire

#: Width of tables that do not go to a terminal: nothing is cut off in a log or a pipe.
PIPE_WIDTH = 200


def console() -> Console:
    """The console of standard output; it prints brackets and colons as they are, because users' texts hold them."""
    width = None if sys.stdout.isatty() else PIPE_WIDTH
    return Console(width=width, highlight=False, markup=False, emoji=False)


def print_json(message: Message, *, one_line: bool = False) -> None:
    """Prints a message as proto JSON with the field names of the .proto files."""
    indent = None if one_line else 2
    typer.echo(json_format.MessageToJson(message, preserving_proto_field_name=True, indent=indent))


def print_warnings(warnings: Iterable[str]) -> None:
    """Prints the server's warnings on stderr."""
    for warning in warnings:
        typer.secho(f"warning: {warning}", err=True, fg=typer.colors.YELLOW)


def print_choices(choices: Iterable[AutotuneChoice]) -> None:
    """Prints what the server chose on stderr."""
    for choice in choices:
        typer.echo(f"chosen: {choice.field}: {choice.value} ({choice.reason})", err=True)


def short_name(enum_type: EnumTypeWrapper, number: int) -> str:
    """The name of an enum value without the prefix that repeats its type; '-' for the unspecified one."""
    prefix = enum_type.Name(0).removesuffix("UNSPECIFIED")
    return enum_type.Name(number).removeprefix(prefix) if number else "-"


def state_text(job: TuningJob | TrainingJob) -> Text:
    """What a job is doing or how it ended, coloured."""
    if isinstance(job, TuningJob):
        name = short_name(TuningJobState, job.state)
    else:
        name = short_name(SecondaryState, job.secondary_state)
    style = {"COMPLETED": "green", "FAILED": "red", "STOPPED": "yellow", "STOPPING": "yellow"}.get(name, "cyan")
    return Text(name, style=style)


def value_text(value: HyperparameterValue) -> str:
    """A hyperparameter's value."""
    content = from_wire(value)
    if content is None:
        return "-"
    if isinstance(content, bool):
        return "true" if content else "false"
    return f"{content:.6g}" if isinstance(content, float) else str(content)


def values_text(values: Mapping[str, HyperparameterValue]) -> str:
    """Hyperparameters in alphabetical order."""
    return " ".join(f"{name}={value_text(values[name])}" for name in sorted(values))


def time_text(time: Timestamp) -> str:
    """A time in the local time zone, to the second; '-' when it is absent."""
    if not time.ByteSize():
        return "-"
    return time.ToDatetime(tzinfo=UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def duration_text(seconds: float) -> str:
    """A duration as 1h 02m 03s."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h {minutes:02}m {rest:02}s"
    return f"{minutes}m {rest:02}s" if minutes else f"{rest}s"


def objective_text(job: TrainingJob) -> str:
    """The final objective value, '-' without one."""
    return f"{job.final_objective_value:.6g}" if job.HasField("final_objective_value") else "-"


def table(title: str, *columns: str) -> Table:
    """A table in this program's style: ``>`` after a column's name aligns it to the right; nothing is ever cut off."""
    result = Table(title=title or None, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for column in columns:
        justify: JustifyMethod = "right" if column.endswith(">") else "left"
        result.add_column(column.removesuffix(">"), justify=justify, overflow="fold")
    return result
