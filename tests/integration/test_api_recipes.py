"""The recipes of Amazon Personalize through the API: their names, their channels, and what they need."""

from __future__ import annotations

from pathlib import Path

import pytest

from hrnn_tuner.client import NotFoundError
from tests.support.api import CSV, Api, definition_of, hrnn_spec_of
from tests.support.bad_data import file_of, violations
from tests.support.bad_requests import FIRST

ARN = "arn:aws:personalize:::recipe/aws-hrnn-metadata"
CONTEXT = b"USER_ID,ITEM_ID,TIMESTAMP,EVENT_VALUE,DEVICE\n1,2,3,4,tv\n"
NO_METADATA = (
    "there are no metadata; hrnn-metadata needs channel 'users' or 'items', or interactions with columns of context"
)


@pytest.fixture
def interactions(api: Api) -> Path:
    return file_of("interactions.csv", CSV.encode())(api.data)


@pytest.fixture
def items(api: Api) -> Path:
    return file_of("items.csv", b"ITEM_ID,GENRE\n2,drama\n")(api.data)


@pytest.mark.parametrize("name", ["aws-hrnn-metadata", ARN, "arn:aws:personalize:::algorithm/aws-hrnn-metadata"])
def test_a_recipe_of_personalize_is_accepted_and_shown_by_its_name_here(
    api: Api, interactions: Path, items: Path, name: str
) -> None:
    api.client.create_tuning_job(hrnn_spec_of("job", ("interactions", interactions), ("items", items), algorithm=name))
    (definition,) = api.client.get_tuning_job("job").spec.training_job_definitions
    assert definition.algorithm == "hrnn-metadata"
    assert api.client.get_algorithm(name).name == "hrnn-metadata"


def test_the_list_shows_every_recipe_once_with_its_aliases(api: Api) -> None:
    found = {item.name: list(item.aliases) for item in api.client.list_algorithms()}
    assert set(found) == {"hrnn", "hrnn-metadata", "hrnn-coldstart", "popularity-count", "synthetic"}
    assert found["hrnn-metadata"][:2] == ["aws-hrnn-metadata", ARN]
    assert found["synthetic"] == []


def test_an_unknown_algorithm_is_not_found_under_any_name(api: Api) -> None:
    with pytest.raises(NotFoundError, match="aws-sims"):
        api.client.get_algorithm("arn:aws:personalize:::recipe/aws-sims")


def test_metadata_are_needed_and_their_absence_is_seen_in_the_header(api: Api, interactions: Path) -> None:
    spec = hrnn_spec_of("job", ("interactions", interactions), algorithm="hrnn-metadata")
    assert violations(api, spec) == [(f"{FIRST}.data_channels", NO_METADATA)]


def test_reserved_columns_are_no_context(api: Api) -> None:
    path = file_of("i.csv", b"USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,EVENT_VALUE,IMPRESSION\n1,2,3,a,4,x\n")(api.data)
    spec = hrnn_spec_of("job", ("interactions", path), algorithm="hrnn-metadata")
    assert violations(api, spec) == [(f"{FIRST}.data_channels", NO_METADATA)]


@pytest.mark.parametrize(("name", "content"), [("context.csv", CONTEXT), ("events.parquet", b"PAR1")])
def test_context_is_enough_and_what_cannot_be_seen_is_left_to_the_worker(api: Api, name: str, content: bytes) -> None:
    path = file_of(name, content)(api.data)
    api.client.create_tuning_job(hrnn_spec_of("job", ("interactions", path), algorithm="hrnn-metadata"))
    assert api.names == ["job"]


def test_a_renamed_key_is_no_context(api: Api) -> None:
    path = file_of("renamed.csv", CSV.replace("TIMESTAMP", "RATED_AT").encode())(api.data)
    spec = hrnn_spec_of("job", ("interactions", path), algorithm="hrnn-metadata")
    definition_of(spec)["data_channels"][0]["columns"] = {"TIMESTAMP": "RATED_AT"}
    assert violations(api, spec) == [(f"{FIRST}.data_channels", NO_METADATA)]


def test_metadata_columns_may_be_renamed_and_have_a_column_of_their_own(
    api: Api, interactions: Path, items: Path
) -> None:
    spec = hrnn_spec_of("job", ("interactions", interactions), ("items", items), algorithm="hrnn-metadata")
    channel = definition_of(spec)["data_channels"][1]
    channel["columns"] = {"KIND": "ITEM_ID"}
    assert violations(api, spec) == [
        (
            f"{FIRST}.data_channels[1].columns",
            "got 'ITEM_ID' for both ITEM_ID and KIND; allowed: a column of its own for each",
        )
    ]
    channel["columns"] = {"KIND": "GENRE"}
    api.client.create_tuning_job(spec)
    assert api.names == ["job"]


def test_new_items_need_data_about_items(api: Api, interactions: Path) -> None:
    ((place, text),) = violations(
        api, hrnn_spec_of("job", ("interactions", interactions), algorithm="aws-hrnn-coldstart")
    )
    assert place == f"{FIRST}.data_channels"
    assert text.startswith("channel 'items' is missing; hrnn-coldstart needs it: One row per item")


def test_the_rules_of_new_items_are_fixed_and_not_tuned(api: Api, interactions: Path, items: Path) -> None:
    spec = hrnn_spec_of("job", ("interactions", interactions), ("items", items), algorithm="hrnn-coldstart")
    definition_of(spec)["parameter_ranges"] = {
        "integer_parameter_ranges": [{"name": "cold_start_max_interactions", "min_value": 1, "max_value": 9}]
    }
    ((place, text),) = violations(api, spec)
    assert place.endswith("integer_parameter_ranges[0].name")
    assert text.startswith("got 'cold_start_max_interactions', which cannot be tuned; allowed: a fixed value")


def test_hrnn_reads_no_metadata(api: Api, interactions: Path, items: Path) -> None:
    spec = hrnn_spec_of("job", ("interactions", interactions), ("items", items), algorithm="aws-hrnn")
    assert violations(api, spec) == [(f"{FIRST}.data_channels[1].name", "got 'items'; allowed: interactions")]


def test_counting_has_a_half_life_to_tune(api: Api, interactions: Path) -> None:
    spec = hrnn_spec_of(
        "job",
        ("interactions", interactions),
        algorithm="aws-popularity-count",
        parameter_ranges={
            "continuous_parameter_ranges": [{"name": "recency_half_life_days", "min_value": 1, "max_value": 90}]
        },
    )
    api.client.create_tuning_job(spec)
    (definition,) = api.client.get_tuning_job("job").spec.training_job_definitions
    assert definition.algorithm == "popularity-count"
