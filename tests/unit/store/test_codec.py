"""Specifications as the JSON documents of the database."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hrnn_tuner.domain.autotune import AutotuneChoice
from hrnn_tuner.domain.completion import CompletionCriteria, CompletionDetails
from hrnn_tuner.domain.data_channel import DataChannel
from hrnn_tuner.domain.early_stopping import EarlyStoppingType, HyperbandConfig
from hrnn_tuner.domain.search_space import CategoricalRange, ContinuousRange, IntegerRange, Scaling, SearchSpace
from hrnn_tuner.domain.training_job import Proposal
from hrnn_tuner.domain.tuning_job import TuningJobSpec
from hrnn_tuner.domain.warm_start import Parent, WarmStart, WarmStartType
from hrnn_tuner.store.codec import (
    choices_from_json,
    choices_to_json,
    details_from_json,
    details_to_json,
    proposal_from_json,
    proposal_to_json,
    range_from_json,
    range_to_json,
    spec_from_json,
    spec_to_json,
    status_from_json,
    status_to_json,
)
from tests.support.search_spaces import spaces
from tests.support.tuning import START, make_job, make_spec

TEXT = st.text(st.characters(blacklist_categories=["Cs"]), max_size=20)
CHANNELS = st.builds(
    DataChannel,
    uri=TEXT,
    columns=st.dictionaries(TEXT, TEXT, max_size=3),
    event_type=st.none() | TEXT,
    event_value_threshold=st.none() | st.floats(allow_nan=False, allow_infinity=False),
)


def spec_with(channels: dict[str, DataChannel]) -> TuningJobSpec:
    spec = make_spec()
    return replace(spec, definitions=(replace(spec.definitions[0], channels=channels),))


@given(channels=st.dictionaries(TEXT, CHANNELS, max_size=3))
def test_data_channels_are_stored_with_their_options(channels: dict[str, DataChannel]) -> None:
    spec = spec_with(channels)
    assert spec_from_json(json.loads(json.dumps(spec_to_json(spec)))) == spec


@given(
    early_stopping=st.sampled_from(EarlyStoppingType),
    hyperband=st.none() | st.builds(HyperbandConfig, st.integers(1, 9), st.integers(9, 99)),
    completion=st.builds(
        CompletionCriteria, st.none() | st.floats(allow_nan=False), st.none() | st.integers(3, 9), st.booleans()
    ),
)
def test_how_jobs_end_early_is_stored(
    early_stopping: EarlyStoppingType, hyperband: HyperbandConfig | None, completion: CompletionCriteria
) -> None:
    spec = make_spec(early_stopping=early_stopping, hyperband=hyperband, completion=completion)
    assert spec_from_json(json.loads(json.dumps(spec_to_json(spec)))) == spec


def test_a_row_of_before_early_stopping_is_read_as_a_job_that_ends_with_its_last_training_job() -> None:
    spec = make_spec()
    document = spec_to_json(spec)
    for name in ("early_stopping", "hyperband", "completion"):
        del document[name]
    assert spec_from_json(document) == spec


def test_events_of_before_early_stopping_are_read() -> None:
    job = make_job(make_spec())
    document = status_to_json(job)
    del document["completion_details"]
    assert status_from_json(job, document, 0) == job


def test_completion_details_are_stored_with_their_time() -> None:
    details = CompletionDetails(not_improving=3, last_improvement=-0.5, best_values=(-0.4, -0.6), converged_at=START)
    assert details_from_json(json.loads(json.dumps(details_to_json(details)))) == details
    assert details_from_json(None) == CompletionDetails()


def test_completion_details_of_other_versions_are_read() -> None:
    document = details_to_json(CompletionDetails(not_improving=3, best_values=(0.5,)))
    assert details_from_json({**document, "of_a_newer_one": 1}).not_improving == 3
    del document["best_values"]
    assert details_from_json(document) == CompletionDetails(not_improving=3)


def test_a_row_of_before_the_options_is_read_as_data_without_any() -> None:
    document = spec_to_json(spec_with({}))
    document["definitions"][0]["channels"] = {"interactions": "/data/interactions.csv"}
    (definition,) = spec_from_json(document).definitions
    assert definition.channels == {"interactions": DataChannel("/data/interactions.csv")}


def test_a_row_of_before_checkpoints_is_read_without_a_runtime_limit_or_a_place_for_them() -> None:
    document = spec_to_json(spec_with({}))
    for name in ("max_runtime_s", "checkpoint_uri"):
        del document["definitions"][0][name]
    (definition,) = spec_from_json(document).definitions
    assert (definition.max_runtime_s, definition.checkpoint_uri) == (None, "")


PARENTS = st.lists(st.builds(Parent, id=TEXT, name=TEXT), max_size=5).map(tuple)


@given(warm_start=st.none() | st.builds(WarmStart, st.sampled_from(WarmStartType), PARENTS), autotune=st.booleans())
def test_warm_start_and_autotune_are_stored(warm_start: WarmStart | None, autotune: bool) -> None:
    spec = replace(make_spec(), warm_start=warm_start, autotune=autotune)
    assert spec_from_json(json.loads(json.dumps(spec_to_json(spec)))) == spec


def test_a_row_of_before_warm_start_is_read_as_a_job_without_it() -> None:
    document = spec_to_json(make_spec())
    del document["warm_start"], document["autotune"]
    assert spec_from_json(document) == make_spec()


@given(choices=st.lists(st.builds(AutotuneChoice, TEXT, TEXT, TEXT), max_size=3).map(tuple))
def test_choices_are_stored(choices: tuple[AutotuneChoice, ...]) -> None:
    assert choices_from_json(json.loads(json.dumps(choices_to_json(choices)))) == choices


def test_a_row_of_before_choices_has_none() -> None:
    assert choices_from_json(None) == ()


@given(space=spaces(), grid_points=st.none() | st.integers(2, 1000))
def test_ranges_are_stored_with_their_conditions_and_grid_points(space: SearchSpace, grid_points: int | None) -> None:
    ranges = tuple(
        item if isinstance(item, CategoricalRange) else replace(item, grid_points=grid_points) for item in space.ranges
    )
    spec = make_spec(ranges=ranges)
    back = spec_from_json(json.loads(json.dumps(spec_to_json(spec))))
    assert back == spec
    assert repr(back) == repr(spec), "1 stays 1, and True stays True"


def test_ranges_without_them_are_stored_as_ever() -> None:
    old: list[dict[str, Any]] = [
        {"kind": "integer", "name": "k", "minimum": 1, "maximum": 9, "scaling": "AUTO"},
        {"kind": "continuous", "name": "x", "minimum": 0.0, "maximum": 1.0, "scaling": "LINEAR"},
        {"kind": "categorical", "name": "c", "choices": ["a", True]},
    ]
    ranges = (IntegerRange("k", 1, 9), ContinuousRange("x", 0, 1, Scaling.LINEAR), CategoricalRange("c", ("a", True)))
    assert [range_to_json(item) for item in ranges] == old
    assert tuple(range_from_json(document) for document in old) == ranges


def test_a_proposal_is_stored_with_its_figures() -> None:
    proposal = Proposal({"x": 0.5}, "BAYESIAN", 3, "why", {"predicted_mean": 0.25})
    assert proposal_from_json(json.loads(json.dumps(proposal_to_json(proposal)))) == proposal


def test_a_proposal_of_before_the_figures_is_read_as_one_without_any() -> None:
    document = {"hyperparameters": {"x": 0.5}, "strategy": "RANDOM", "seed": 3, "explanation": "draw 1"}
    assert proposal_from_json(document) == Proposal({"x": 0.5}, "RANDOM", 3, "draw 1")
