"""What later versions implement is refused by name, never ignored."""

from __future__ import annotations

from typing import Any

import pytest

from hrnn_tuner.client import InvalidRequestError, NotImplementedByServerError
from tests.support.api import Api, definition_of, spec_of

FIRST = "tuning_job.training_job_definitions[0]"
IN_DEFINITION: list[tuple[str, dict[str, Any]]] = [
    (f"{FIRST}.stopping_condition", {"stopping_condition": {"max_runtime_in_seconds": 60}}),
    (f"{FIRST}.checkpoint_config", {"checkpoint_config": {"uri": "/data/checkpoints"}}),
]


@pytest.mark.parametrize(("field", "change"), IN_DEFINITION, ids=[field for field, _ in IN_DEFINITION])
def test_a_field_of_the_definition(shared_api: Api, field: str, change: dict[str, Any]) -> None:
    spec = spec_of()
    definition_of(spec).update(change)
    with pytest.raises(NotImplementedByServerError) as caught:
        shared_api.client.create_tuning_job(spec)
    assert [item.field for item in caught.value.violations] == [field]


def test_a_wrong_field_beside_it_is_listed_too(shared_api: Api) -> None:
    spec = spec_of("bad name!")
    definition_of(spec).update(IN_DEFINITION[0][1])
    with pytest.raises(InvalidRequestError) as caught:
        shared_api.client.create_tuning_job(spec)
    assert {item.field for item in caught.value.violations} == {"tuning_job.name", IN_DEFINITION[0][0]}


def test_hyperband_settings_with_another_strategy_are_ignored_as_in_amt(api: Api) -> None:
    api.client.create_tuning_job(spec_of(strategy_config={"hyperband": {"min_resource": 1}}))
    assert api.names == ["job"]
