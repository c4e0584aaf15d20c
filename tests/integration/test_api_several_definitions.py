"""Several definitions in one tuning job: what is stored of them, and what they must have in common."""

from __future__ import annotations

from typing import Any

import pytest

from hrnn_tuner.client import InvalidRequestError
from tests.support.api import CSV, Api, definition_of, hrnn_spec_of, spec_of

SECOND = "tuning_job.training_job_definitions[1]"


def with_second(**changes: Any) -> dict[str, Any]:
    """A request with two definitions, the second one changed."""
    spec = spec_of()
    spec["training_job_definitions"].append(definition_of(spec) | {"definition_name": "b"} | changes)
    definition_of(spec)["definition_name"] = "a"
    return spec


def fields(api: Api, spec: dict[str, Any]) -> set[str]:
    with pytest.raises(InvalidRequestError) as caught:
        api.client.create_tuning_job(spec)
    return {item.field for item in caught.value.violations}


def test_two_definitions_are_stored_with_the_algorithm_of_each(shared_api: Api) -> None:
    interactions = shared_api.data / "interactions.csv"
    interactions.write_text(CSV)
    hrnn = definition_of(hrnn_spec_of("other", ("interactions", interactions))) | {"definition_name": "b"}
    spec = with_second()
    spec["name"] = "two-algorithms"
    spec["training_job_definitions"][1] = hrnn
    shared_api.client.create_tuning_job(spec)
    first, second = shared_api.client.get_tuning_job("two-algorithms").spec.training_job_definitions
    assert (first.definition_name, first.algorithm) == ("a", "synthetic")
    assert (second.definition_name, second.algorithm) == ("b", "hrnn")


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("definition_name", {"definition_name": ""}),
        ("objective.type", {"objective": {"type": "OBJECTIVE_TYPE_MINIMIZE", "metric_name": "score"}}),
    ],
    ids=["name", "direction"],
)
def test_what_keeps_definitions_apart_is_named(shared_api: Api, field: str, change: dict[str, Any]) -> None:
    assert fields(shared_api, with_second(**change)) == {f"{SECOND}.{field}"}


def test_the_search_spaces_together_must_have_enough_points(shared_api: Api) -> None:
    few = {"categorical_parameter_ranges": [{"name": "flag", "values": [{"bool_value": True}, {"bool_value": False}]}]}
    spec = with_second(parameter_ranges=few)
    definition_of(spec)["parameter_ranges"] = few
    spec["resource_limits"]["max_number_of_training_jobs"] = 5
    with pytest.raises(InvalidRequestError, match="has only 4 combinations"):
        shared_api.client.create_tuning_job(spec)


def test_two_definitions_of_one_name_are_wrong(shared_api: Api) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        shared_api.client.create_tuning_job(with_second(definition_name="a"))
    found = {item.field: item.description for item in caught.value.violations}
    assert found[f"{SECOND}.definition_name"] == "got 'a' twice; allowed: different names"


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("algorithm", {"algorithm": "sintetic"}),
        ("resource_class", {"resource_class": "gpu"}),
        ("objective.metric_name", {"objective": {"type": "OBJECTIVE_TYPE_MAXIMIZE", "metric_name": "scores"}}),
        ('static_hyperparameters["q"]', {"static_hyperparameters": {"q": {"integer_value": 1}}}),
        ("output_uri", {"output_uri": "/elsewhere"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_mistake_in_the_second_definition_is_named(shared_api: Api, field: str, change: dict[str, Any]) -> None:
    assert fields(shared_api, with_second(**change)) == {f"{SECOND}.{field}"}


def test_choices_beyond_the_published_recipe_are_a_warning(api: Api) -> None:
    path = api.data / "a.csv"
    path.write_text(CSV)
    ranges = [{"name": "bptt", "values": [{"integer_value": value} for value in (1, 8, 16, 40)]}]
    spec = hrnn_spec_of("job", ("interactions", path), parameter_ranges={"categorical_parameter_ranges": ranges})
    answer = api.client.create_tuning_job(spec)
    assert list(answer.warnings) == ["bptt is tuned over 1, 40, beyond the published recipe's [2, 32]"]


def test_of_a_huge_folder_only_the_first_files_are_opened(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = api.data / "many"
    folder.mkdir()
    for index in range(100):
        (folder / f"{index:03d}.csv").write_text(CSV)
    opened: list[str] = []
    monkeypatch.setattr(
        "api_service.validation.data._file_complaint", lambda _system, path, _columns: opened.append(path)
    )
    api.client.create_tuning_job(hrnn_spec_of("job", ("interactions", folder)))
    assert [path.rsplit("/", 1)[-1] for path in opened] == [f"{index:03d}.csv" for index in range(32)]
