"""`hrnn-tuner algorithms`: what can be tuned."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from hrnn_tuner.cli.job_description import range_texts
from hrnn_tuner.cli.options import OutputFormat, OutputOption, connect
from hrnn_tuner.cli.output import console, print_json, short_name, table, value_text
from hrnn_tuner.v1.algorithm_pb2 import Algorithm, HyperparameterSpec, HyperparameterType
from hrnn_tuner.v1.tuning_job_pb2 import ObjectiveType
from hrnn_tuner.v1.tuning_service_pb2 import ListAlgorithmsResponse


def algorithms(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Show this one in full.")] = None,
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """List the algorithms of the installation, or show one with hyperparameters, metrics and data channels."""
    with connect(context) as client:
        if name is not None:
            algorithm = client.get_algorithm(name)
            if output is OutputFormat.JSON:
                print_json(algorithm)
            else:
                console().print(_describe(algorithm))
            return
        found = client.list_algorithms()
    if output is OutputFormat.JSON:
        print_json(ListAlgorithmsResponse(algorithms=found))
        return
    result = table("", "name", "description")
    for algorithm in found:
        result.add_row(Text(algorithm.name, style="bold"), algorithm.description)
    console().print(result if found else "no algorithms")


def _describe(algorithm: Algorithm) -> RenderableType:
    """Everything about one algorithm."""
    head = ("name", "type", "allowed", "default>", "tunable", "recipe tunes", "tuned by default", "description")
    hyperparameters = table("Hyperparameters", *head)
    tuned = dict(range_texts(algorithm.default_parameter_ranges))
    for item in algorithm.hyperparameters:
        hyperparameters.add_row(
            item.name,
            short_name(HyperparameterType, item.type).lower(),
            _allowed(item),
            value_text(item.default_value),
            "yes" if item.tunable else "no",
            _interval(item, "recommended_min_value", "recommended_max_value"),
            tuned.get(item.name, ""),
            item.description,
        )
    metrics = table("Metrics", "name", "objective", "description")
    for metric in algorithm.metrics:
        metrics.add_row(metric.name, short_name(ObjectiveType, metric.objective_type).lower(), metric.description)
    channels = table("Data channels", "name", "required", "columns", "options", "description")
    for channel in algorithm.channels:
        columns, options = ", ".join(channel.required_columns), ", ".join(channel.options)
        if channel.max_metadata_columns:
            columns += f", {channel.min_metadata_columns} to {channel.max_metadata_columns} of metadata"
        channels.add_row(channel.name, "yes" if channel.required else "no", columns, options, channel.description)
    sections: list[Table] = [part for part in (hyperparameters, metrics, channels) if part.row_count]
    about = [Text(algorithm.name, style="bold"), Text(algorithm.description)]
    if algorithm.aliases:
        about.append(Text(f"also: {', '.join(algorithm.aliases)}"))
    return Group(*about, *(part for section in sections for part in (Text(), section)))


def _allowed(item: HyperparameterSpec) -> str:
    """The values that a hyperparameter takes."""
    if item.choices:
        return ", ".join(value_text(choice) for choice in item.choices)
    return _interval(item, "min_value", "max_value")


def _interval(item: HyperparameterSpec, low: str, high: str) -> str:
    """An interval of two optional fields; empty when both are absent."""
    if not item.HasField(low) and not item.HasField(high):
        return ""
    left = f"[{getattr(item, low):g}" if item.HasField(low) else "(-inf"
    right = f"{getattr(item, high):g}]" if item.HasField(high) else "inf)"
    return f"{left}, {right}"
