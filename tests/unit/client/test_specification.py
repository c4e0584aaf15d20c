from __future__ import annotations

from typing import Any

import pytest
from google.protobuf import json_format

from hrnn_tuner.client import InvalidRequestError, Violation, parse_request
from hrnn_tuner.v1.tuning_service_pb2 import CreateTuningJobRequest
from tests.unit.client.canned import spec


def violation(document: Any) -> Violation:
    with pytest.raises(InvalidRequestError) as caught:
        parse_request(document)
    (only,) = caught.value.violations
    return only


@pytest.mark.parametrize("snake_case", [True, False])
def test_a_specification_is_read_from_message_dict_and_text(snake_case: bool) -> None:
    wanted = CreateTuningJobRequest(tuning_job=spec())
    as_dict = json_format.MessageToDict(spec(), preserving_proto_field_name=snake_case)
    as_text = json_format.MessageToJson(spec(), preserving_proto_field_name=snake_case)
    assert parse_request(spec()) == parse_request(as_dict) == parse_request(as_text) == wanted


@pytest.mark.parametrize("snake_case", [True, False])
def test_a_whole_request_is_recognised(snake_case: bool) -> None:
    wanted = CreateTuningJobRequest(tuning_job=spec(), request_id="some-id", validate_only=True)
    assert parse_request(json_format.MessageToJson(wanted, preserving_proto_field_name=snake_case)) == wanted
    copy = parse_request(wanted)
    assert copy == wanted
    assert copy is not wanted


def test_a_syntax_error_names_line_and_column() -> None:
    assert violation('{"name": "a",\n  "weight" 2}') == Violation("line 2, column 12", "Expecting ':' delimiter")


def test_a_key_that_comes_twice_is_an_error() -> None:
    assert violation('{"name": "a", "name": "b"}').field == "name"


def test_a_document_that_is_no_object_is_an_error() -> None:
    assert violation("[]").description == "expected a JSON object, got list"


@pytest.mark.parametrize(
    ("document", "field", "part"),
    [
        ({"colour": 1}, "colour", "fields here: name, strategy"),
        ({"resource_limits": {"max_jobs": 1}}, "resource_limits.max_jobs", "max_parallel_training_jobs"),
        ({"strategy": "RANDOM"}, "strategy", "allowed: STRATEGY_BAYESIAN, STRATEGY_RANDOM"),
        ({"tuning_job": {"strategy": "RANDOM"}}, "tuning_job.strategy", "Invalid enum value RANDOM"),
        (
            {"resource_limits": {"max_parallel_training_jobs": "two"}},
            "resource_limits.max_parallel_training_jobs",
            "'two'",
        ),
        (
            {"training_job_definitions": [{"parameter_ranges": {"integer_parameter_ranges": [{"min_value": "1.5"}]}}]},
            "training_job_definitions[0].parameter_ranges.integer_parameter_ranges[0].min_value",
            '"1.5"',
        ),
        (
            {
                "training_job_definitions": [
                    {"parameter_ranges": {"integer_parameter_ranges": [{"condition": {"if": 1}}]}}
                ]
            },
            "training_job_definitions[0].parameter_ranges.integer_parameter_ranges[0].condition.if",
            "fields here: name, values",
        ),
    ],
)
def test_a_misfit_names_the_field_and_what_is_allowed(document: dict[str, Any], field: str, part: str) -> None:
    found = violation(document)
    assert found.field == field
    assert part in found.description
    assert "\n" not in found.description
