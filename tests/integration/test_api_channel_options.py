"""How data channels are read: options that fit are stored and shown, others are refused at creation."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.api import CSV, Api, definition_of, hrnn_spec_of, spec_of
from tests.support.bad_data import CHANNEL, file_of, violations


def read_with(api: Api, uri: Path, **options: object) -> dict[str, object]:
    """A request of HRNN whose interactions are read with these options."""
    spec = hrnn_spec_of("job", ("interactions", uri))
    definition_of(spec)["data_channels"][0] |= options
    return spec


RENAMED = {"USER_ID": "who", "TIMESTAMP": "rated_at"}


def test_renamed_columns_and_those_of_filters_are_looked_for(api: Api) -> None:
    plain = file_of("plain.csv", CSV.encode())(api.data)
    found = violations(api, read_with(api, plain, columns=RENAMED, event_type="watch", event_value_threshold=1))
    assert found == [
        (
            f"{CHANNEL}.uri",
            f"got {str(plain)!r}: plain.csv is missing the columns: who (for USER_ID), rated_at (for TIMESTAMP), "
            "EVENT_TYPE, EVENT_VALUE; found: USER_ID, ITEM_ID, TIMESTAMP",
        )
    ]


def test_data_with_renamed_columns_are_accepted_and_shown_with_their_options(api: Api) -> None:
    given = file_of("given.csv", b"who,ITEM_ID,rated_at,kind,EVENT_VALUE\n1,2,3,watch,4\n")(api.data)
    columns = RENAMED | {"EVENT_TYPE": "kind"}
    api.client.create_tuning_job(read_with(api, given, columns=columns, event_type="watch", event_value_threshold=-0.5))
    (shown,) = api.client.get_tuning_job("job").spec.training_job_definitions[0].data_channels
    assert (dict(shown.columns), shown.event_type, shown.event_value_threshold) == (columns, "watch", -0.5)


@pytest.mark.parametrize(
    ("options", "field", "says"),
    [
        ({"event_type": ""}, "event_type", ("got ''",)),
        ({"event_type": "x" * 257}, "event_type", ("256",)),
        ({"event_value_threshold": "Infinity"}, "event_value_threshold", ("got inf", "finite")),
        ({"columns": {"USER": "who"}}, 'columns["USER"]', ("got 'USER'", "mean 'USER_ID'?", "EVENT_VALUE")),
        ({"columns": {"USER_ID": ""}}, 'columns["USER_ID"]', ("got ''",)),
        (
            {"columns": {"USER_ID": "ITEM_ID"}},
            "columns",
            ("got 'ITEM_ID' for both USER_ID and ITEM_ID", "allowed: a column of its own for each"),
        ),
        (
            {"columns": {"EVENT_TYPE": "kind", "EVENT_VALUE": "kind"}, "event_type": "a", "event_value_threshold": 1},
            "columns",
            ("got 'kind' for both EVENT_TYPE and EVENT_VALUE",),
        ),
    ],
)
def test_options_that_cannot_be_meant_are_refused(
    api: Api, options: dict[str, object], field: str, says: tuple[str, ...]
) -> None:
    good = file_of("good.csv", CSV.encode())(api.data)
    ((place, description),) = [
        item for item in violations(api, read_with(api, good, **options)) if not item[0].endswith(".uri")
    ]
    assert place == f"{CHANNEL}.{field}"
    for text in says:
        assert text in description


def test_options_that_a_channel_does_not_take_are_refused(api: Api) -> None:
    spec = spec_of()
    channel = {"name": "interactions", "uri": f"{api.data}/x", "columns": {"A": "b"}, "event_type": "watch"}
    definition_of(spec)["data_channels"] = [channel]
    assert violations(api, spec) == [
        (
            f"{CHANNEL}.columns",
            "got 1 entries, and channel 'interactions' does not take columns; allowed: no options",
        ),
        (
            f"{CHANNEL}.event_type",
            "got 'watch', and channel 'interactions' does not take event_type; allowed: no options",
        ),
    ]


def test_an_algorithm_says_which_options_its_channels_take(api: Api) -> None:
    (channel,) = api.client.get_algorithm("hrnn").channels
    assert list(channel.options) == ["columns", "event_type", "event_value_threshold"]
    assert list(channel.optional_columns) == ["EVENT_TYPE", "EVENT_VALUE"]
