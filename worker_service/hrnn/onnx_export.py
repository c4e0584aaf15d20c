"""Writes a trained model as ONNX, for servers without Python: one step that reads an event and scores all items.

``python -m worker_service.hrnn.onnx_export ARTIFACT_DIR FILE``; needs the extra ``onnx``.

Inputs, for B users side by side with P own items among all of them (float32, or int64 where it says so)::

    item          [B]     int64, the item of the event: its place in the artifact's items.json, from 0
    features      [B, 4]  of the event
    hidden, user  [B, H]  the state before the event; zeros before a user's first event
    ask_features  [B, 4]  of the asking that is answered by the scores
    own_row       [P]     int64, to which of the B users an own item belongs, from 0
    own_item      [P]     int64, its place in items.json
    own_events    [P]     int64, bucket of the events since
    own_age       [P]     int64, bucket of the time since
    own_habit     [P]     int64, bucket of the sessions since, crossed with that of how often

Outputs: ``scores`` [B, N], column j for place j of items.json, whose softmax is what `HrnnRecommender` gives; and
``new_hidden`` and ``new_user`` [B, H], the state behind the event. B and P are free, P may be 0. All models have all
inputs; a model without ``own_items`` takes P = 0.

Metadata of items are in the graph. Items that a model may not recommend score minus infinity.

Events with items that are not in items.json are left out, before anything below is computed. Whoever may ask more than
once after an event keeps the state from before it, and runs the step anew with other ``ask_features`` and own items.
The state does not depend on these. A user without events is not scored by the graph but served popular items.

What the inputs are made of stands in the file's metadata_props, as JSON: ``hrnn.format_version``; ``hrnn.model``, the
`ModelShape`; ``hrnn.sessions``, the `SessionRule`; and ``hrnn.own_history``, with a ``window`` and the upper ends of
buckets, ``events``, ``age_s``, ``sessions`` and ``counts``.

*Features* of an event, g = seconds since the user's event before it, at least 0::

    [ln(1 + g / 60) / 10,  1 if g > session_gap_s else 0,  1 if g > long_break_s else 0,  0]
    [0, 0, 0, 1]  for the first event of a user

The features of an asking are those of an event at that time, g = seconds since the latest event; an unknown time counts
as g = typical_start_gap_s. They never are those of a first event.

*Own items* of a user are the distinct items of the ``window`` newest events, the event of this step included. For each,
e is its latest event and T the time of the asking: the latest event's time plus g as above where the model has
``use_query_gap``, else the latest event's time. With bucket(ends, v) = the number of ends that are smaller than v::

    own_events = bucket(events, number of events behind e)
    own_age    = bucket(age_s, T - time of e)
    own_habit  = bucket(sessions, s) * (length of counts + 1) + bucket(counts, n)

    s = number of events behind e with g > session_gap_s, one more if T - time of the latest event > session_gap_s
    n = number of events with this item in the whole history, before the window too
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.util
import json
import logging
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor

from hrnn_tuner.algorithms.contract import AlgorithmError
from worker_service.hrnn.artifact import Artifact, load_artifact
from worker_service.hrnn.data.own_history import (
    AGE_BOUNDS,
    COUNT_BOUNDS,
    EVENT_BOUNDS,
    SESSION_BOUNDS,
    WINDOW,
)
from worker_service.hrnn.data.sessions import FEATURES
from worker_service.hrnn.network.serving_step import ServingStep

FORMAT_VERSION = 1
#: Of the ONNX operators; the first with ScatterND that adds is 16, and runtimes of several years know 18.
_OPSET = 18
_PACKAGES = ("onnx", "onnxscript")
_INPUTS = (
    *("item", "features", "hidden", "user", "ask_features"),
    *("own_row", "own_item", "own_events", "own_age", "own_habit"),
)
_OUTPUTS = ("scores", "new_hidden", "new_user")


def export_onnx(artifact: Artifact, path: Path) -> None:
    """Writes the serving step of a model as one ONNX file; weights of more than 2 GB go into a second one beside it.

    Args:
        artifact: The model, on the CPU.
        path: The file to write, in an existing directory.

    Raises:
        AlgorithmError: When the packages of the extra ``onnx`` are missing, or the model takes metadata of users or the
            context of events, which no input carries.
    """
    metadata = artifact.model.shape.metadata
    if metadata is not None and (metadata.users is not None or metadata.context is not None):
        raise AlgorithmError("ONNX export takes models without metadata of users and context of events")
    missing = [name for name in _PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise AlgorithmError(f"ONNX export needs {' and '.join(missing)}: pip install 'hrnn-tuner[onnx]'")
    users, own = torch.export.Dim("users"), torch.export.Dim("own_items")
    shapes = [{0: own if name.startswith("own_") else users} for name in _INPUTS]
    with _exporter_silenced():
        program = torch.onnx.export(
            ServingStep(artifact.model, artifact.recommendable).eval(),
            _example(artifact.model.shape.hidden_dimension),
            input_names=_INPUTS,
            output_names=_OUTPUTS,
            dynamic_shapes=shapes,
            opset_version=_OPSET,
            external_data=False,
            verbose=False,
            dynamo=True,
        )
    if program is None:
        raise AlgorithmError("torch made no ONNX program")
    for node in program.model.graph:
        node.metadata_props.clear()  # the exporter's notes on where each came from, paths of this machine among them
    program.model.metadata_props.update(_metadata(artifact))
    program.save(path)


def _example(hidden: int) -> tuple[Tensor, ...]:
    """Inputs of two users with three own items; sizes of 0 and 1 would be taken for fixed."""
    features, states = torch.zeros(2, FEATURES), torch.zeros(2, hidden)
    users, own = torch.zeros(2, dtype=torch.int64), torch.zeros(3, dtype=torch.int64)
    return users, features, states, states.clone(), features.clone(), *(own.clone() for _ in range(5))


@contextmanager
def _exporter_silenced() -> Iterator[None]:
    """Keeps back what the exporter says about itself: absent packages it does not need, its own deprecated calls."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _metadata(artifact: Artifact) -> dict[str, str]:
    """What a server must know to compute the inputs, as JSON."""
    ends = {"events": EVENT_BOUNDS, "age_s": AGE_BOUNDS, "sessions": SESSION_BOUNDS, "counts": COUNT_BOUNDS}
    facts = {
        "format_version": FORMAT_VERSION,
        "model": dataclasses.asdict(artifact.model.shape),
        "sessions": dataclasses.asdict(artifact.rule),
        "own_history": {"window": WINDOW, **ends},
    }
    return {f"hrnn.{name}": json.dumps(value) for name, value in facts.items()}


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m worker_service.hrnn.onnx_export",
        description="Writes a trained hrnn model as ONNX: one step that reads an event and scores all items.",
    )
    parser.add_argument("artifact_dir", type=Path, metavar="ARTIFACT_DIR", help="local directory of the artifact")
    parser.add_argument("file", type=Path, metavar="FILE", help="the file to write, e.g. model.onnx")
    given = parser.parse_args(arguments)
    try:
        export_onnx(load_artifact(given.artifact_dir, "cpu"), given.file)
    except (AlgorithmError, OSError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)  # noqa: T201 - a command line of its own
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
