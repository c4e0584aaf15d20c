"""Specifications as the JSON documents of the database."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from hrnn_tuner.domain.data_channel import DataChannel
from hrnn_tuner.domain.tuning_job import TuningJobSpec
from hrnn_tuner.store.codec import spec_from_json, spec_to_json
from tests.support.tuning import make_spec

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
