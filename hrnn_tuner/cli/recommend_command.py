"""`hrnn-tuner recommend`: tries the best model of a tuning job."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from hrnn_tuner.algorithms import Recommendation
from hrnn_tuner.cli.exits import CommandError, ExitCode
from hrnn_tuner.cli.options import OutputFormat, OutputOption, connect
from hrnn_tuner.cli.output import console, table
from hrnn_tuner.cli.recommendation import best_model, read_titles
from hrnn_tuner.cli.recommendation import recommend as recommend_with
from hrnn_tuner.cli.submit_command import absolute


def recommend(
    context: typer.Context,
    job: Annotated[str, typer.Option(metavar="NAME", help="Name of the tuning job whose best model is used.")],
    user: Annotated[str, typer.Option(metavar="ID", help="USER_ID; someone without history gets popular items.")],
    k: Annotated[int, typer.Option("-k", "--count", min=1, help="How many items.")] = 10,
    filter_seen: Annotated[bool, typer.Option("--filter-seen", help="Leave out items in the user's history.")] = False,
    titles: Annotated[Path | None, typer.Option(metavar="FILE.csv", help="Titles: columns ITEM_ID and TITLE.")] = None,
    interactions: Annotated[
        str | None, typer.Option(metavar="URI", help="Newer histories than the model was trained on; read like them.")
    ] = None,
    context_of_request: Annotated[
        list[str] | None,
        typer.Option("--context", metavar="COLUMN=VALUE", help="Context of the request, for models with context."),
    ] = None,
    output: OutputOption = OutputFormat.TEXT,
) -> None:
    """Recommend items to a user with the best model of a tuning job.

    Fetches the model to this machine and runs it here; needs the extra 'worker' (and 's3' for artifacts on S3).

    For example:

        hrnn-tuner recommend --job my-job --user 196 --titles titles.csv

        hrnn-tuner recommend --job my-job --user 196 -k 25 --filter-seen -o json
    """
    title_of = read_titles(titles) if titles is not None else {}
    asked_in = _context(context_of_request or ())
    with connect(context) as client:
        model = best_model(client.get_tuning_job(job))
    if interactions is not None:
        model = replace(model, interactions=replace(model.interactions, uri=absolute(interactions)))
    found = recommend_with(model, user, k, filter_seen=filter_seen, context=asked_in)
    if output is OutputFormat.TEXT:
        console().print(recommendation_table(found, title_of))
        return
    document = {
        "tuning_job_name": job,
        "training_job_name": model.training_job_name,
        "user_id": user,
        "recommendations": [
            {"rank": rank, "item_id": item.item_id, "title": title_of.get(item.item_id), "score": item.score}
            for rank, item in enumerate(found, start=1)
        ],
    }
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False))


def _context(given: Sequence[str]) -> dict[str, str]:
    """COLUMN=VALUE pairs as a mapping."""
    result = {}
    for pair in given:
        column, separator, value = pair.partition("=")
        if not (column and separator):
            raise CommandError(f"--context {pair!r}: expected COLUMN=VALUE", ExitCode.BAD_INPUT)
        result[column] = value
    return result


def recommendation_table(found: Sequence[Recommendation], title_of: Mapping[str, str]) -> Table:
    """Recommended items by rank; the title column is left out when there are no titles."""
    result = table("", "rank>", "item", *(["title"] if title_of else []), "score>")
    for rank, item in enumerate(found, start=1):
        title = [title_of.get(item.item_id, "-")] if title_of else []
        result.add_row(str(rank), item.item_id, *title, f"{item.score:.5f}")
    return result
