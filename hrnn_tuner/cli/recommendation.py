"""Recommends with the best model of a tuning job, on this machine."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fsspec

from hrnn_tuner.algorithms import AlgorithmError, DataChannel, Recommendation, Recommender, load_algorithms
from hrnn_tuner.cli.exits import CommandError, ExitCode
from hrnn_tuner.settings import Settings
from hrnn_tuner.v1.tuning_job_pb2 import TrainingJobDefinition, TuningJob
from hrnn_tuner.wire_channels import channel_from_wire

INTERACTIONS_CHANNEL, USERS_CHANNEL = "interactions", "users"
TITLE_COLUMNS = ("ITEM_ID", "TITLE")


@dataclass(frozen=True)
class BestModel:
    """What it takes to recommend with a tuning job's best model.

    Attributes:
        training_job_name: The best training job.
        algorithm: Name of its algorithm.
        artifact_uri: Folder of its model.
        interactions: The data with the users' histories, and how to read them.
        users: The metadata of users, and how to read them; None where the job has none.
    """

    training_job_name: str
    algorithm: str
    artifact_uri: str
    interactions: DataChannel
    users: DataChannel | None


def best_model(job: TuningJob) -> BestModel:
    """Finds the best model of a tuning job.

    Raises:
        CommandError: When no training job has a model yet, or the job has no interactions.
    """
    best = job.best_training_job
    if not job.HasField("best_training_job") or not best.artifact_uri:
        raise CommandError(f"tuning job {job.name!r} has no model yet", ExitCode.CONFLICT)
    definition = next(
        (item for item in job.spec.training_job_definitions if item.definition_name == best.definition_name),
        TrainingJobDefinition(),
    )
    channels = {channel.name: channel_from_wire(channel) for channel in definition.data_channels}
    if INTERACTIONS_CHANNEL not in channels:
        raise CommandError(f"tuning job {job.name!r} has no channel {INTERACTIONS_CHANNEL!r}", ExitCode.CONFLICT)
    return BestModel(
        best.name,
        definition.algorithm,
        best.artifact_uri,
        channels[INTERACTIONS_CHANNEL],
        channels.get(USERS_CHANNEL),
    )


def recommend(
    model: BestModel, user_id: str, k: int, *, filter_seen: bool, context: Mapping[str, str] | None = None
) -> Sequence[Recommendation]:
    """The best items for a user.

    Args:
        model: The model.
        user_id: USER_ID.
        k: Length of the list.
        filter_seen: Leave out the items of the user's history.
        context: Context of the request, text by column.

    Raises:
        CommandError: When the model or its algorithm is not to be had on this machine, or the data are unusable.
    """
    with _local_artifact(model.artifact_uri) as folder:
        recommender = _load(model.algorithm, folder)
        further: dict[str, Any] = {} if model.users is None else {"users": model.users}
        if context:
            further["context"] = context
        try:
            return recommender.recommend_for_user(user_id, model.interactions, k, filter_seen=filter_seen, **further)
        except AlgorithmError as error:
            raise CommandError(str(error), ExitCode.BAD_INPUT) from error
        except OSError as error:
            raise CommandError(f"cannot read {model.interactions.uri}: {error}", ExitCode.NOT_FOUND) from error


def _load(algorithm: str, folder: Path) -> Recommender:
    """Imports the algorithm's code, which only the worker's extra brings along."""
    try:
        return load_algorithms(Settings().algorithms).recommender(algorithm, str(folder))
    except KeyError as error:
        raise CommandError(f"algorithm {algorithm!r} is not installed on this machine", ExitCode.BAD_INPUT) from error
    except LookupError as error:
        raise CommandError(str(error), ExitCode.CONFLICT) from error
    except ImportError as error:
        message = f"recommending needs the worker's libraries: pip install 'hrnn-tuner[worker]' ({error})"
        raise CommandError(message, ExitCode.BAD_INPUT) from error
    except AlgorithmError as error:
        raise CommandError(str(error), ExitCode.CONFLICT) from error


@contextmanager
def _local_artifact(uri: str) -> Iterator[Path]:
    """The folder itself when it is local, else a copy that is removed afterwards."""
    try:
        filesystem, path = fsspec.core.url_to_fs(uri)
        if "file" in filesystem.protocol:
            if not Path(path).is_dir():
                raise FileNotFoundError(f"there is no folder {path} on this machine")
            yield Path(path)
            return
        with tempfile.TemporaryDirectory(prefix="hrnn-tuner-") as folder:
            filesystem.get(path.rstrip("/") + "/", folder + "/", recursive=True)
            yield Path(folder)
    except ImportError as error:
        message = f"reading {uri} needs a library: pip install 'hrnn-tuner[s3]' ({error})"
        raise CommandError(message, ExitCode.BAD_INPUT) from error
    except OSError as error:
        raise CommandError(f"cannot fetch the model {uri}: {error}", ExitCode.NOT_FOUND) from error


def read_titles(path: Path) -> dict[str, str]:
    """Reads a CSV with the columns ITEM_ID and TITLE.

    Raises:
        CommandError: When it cannot be read or lacks a column.
    """
    try:
        with path.open(newline="", encoding="utf-8") as lines:
            rows = csv.DictReader(lines)
            missing = [column for column in TITLE_COLUMNS if column not in (rows.fieldnames or ())]
            if missing:
                raise CommandError(f"{path} lacks the column {' and '.join(missing)}", ExitCode.BAD_INPUT)
            return {row["ITEM_ID"]: row["TITLE"] for row in rows}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CommandError(f"cannot read {path}: {error}", ExitCode.BAD_INPUT) from error
