"""What a violated rule of a message says: the field, what was given, what is allowed."""

from __future__ import annotations

from api_service.findings import Findings
from api_service.validation import message_rules
from hrnn_tuner.v1 import tuning_job_pb2
from hrnn_tuner.v1 import tuning_service_pb2 as pb


def violations(request: pb.CreateTuningJobRequest | pb.ListTuningJobsRequest) -> dict[str, str]:
    """Descriptions by field."""
    findings = Findings()
    message_rules.collect(request, findings)
    return {item.field: item.description for item in findings.violations}


def request_with(definition: tuning_job_pb2.TrainingJobDefinition) -> pb.CreateTuningJobRequest:
    definition.algorithm = "a"
    definition.objective.type = tuning_job_pb2.OBJECTIVE_TYPE_MAXIMIZE
    definition.objective.metric_name = "m"
    limits = tuning_job_pb2.ResourceLimits(max_parallel_training_jobs=1)
    spec = tuning_job_pb2.TuningJobSpec(name="job", resource_limits=limits, training_job_definitions=[definition])
    return pb.CreateTuningJobRequest(tuning_job=spec)


RANGES = "tuning_job.training_job_definitions[0].parameter_ranges"


def test_a_range_in_the_wrong_order_is_shown_with_both_ends() -> None:
    definition = tuning_job_pb2.TrainingJobDefinition()
    definition.parameter_ranges.integer_parameter_ranges.add(name="k", min_value=5, max_value=2)
    (text,) = violations(request_with(definition)).values()
    assert text == "got min_value 5, max_value 2; min_value must not be greater than max_value"


def test_an_end_of_zero_is_shown_like_any_other() -> None:
    definition = tuning_job_pb2.TrainingJobDefinition()
    definition.parameter_ranges.continuous_parameter_ranges.add(
        name="x", min_value=0, max_value=1, scaling_type="SCALING_TYPE_LOGARITHMIC"
    )
    (text,) = violations(request_with(definition)).values()
    assert text == "got min_value 0.0, max_value 1.0; SCALING_TYPE_LOGARITHMIC needs min_value > 0"


def test_too_many_ranges_are_counted_by_kind() -> None:
    definition = tuning_job_pb2.TrainingJobDefinition()
    for index in range(31):
        definition.parameter_ranges.integer_parameter_ranges.add(name=f"k{index}", max_value=2)
    assert violations(request_with(definition)) == {
        RANGES: "got 31 integer_parameter_ranges; at most 30 ranges are allowed over all kinds"
    }


def test_an_unknown_enum_number_is_answered_with_the_names_that_exist() -> None:
    assert violations(pb.ListTuningJobsRequest(order_by=9)) == {  # type: ignore[arg-type]
        "order_by": "got 9; allowed: TUNING_JOB_ORDER_NAME, TUNING_JOB_ORDER_STATE, TUNING_JOB_ORDER_CREATE_TIME"
    }


def test_an_enum_that_may_not_be_left_out_is_answered_with_the_names_that_exist() -> None:
    request = request_with(tuning_job_pb2.TrainingJobDefinition())
    request.tuning_job.training_job_definitions[0].objective.type = tuning_job_pb2.OBJECTIVE_TYPE_UNSPECIFIED
    (text,) = violations(request).values()
    assert text == "got 0; allowed: OBJECTIVE_TYPE_MAXIMIZE, OBJECTIVE_TYPE_MINIMIZE"


def test_a_map_and_a_list_are_shown_by_their_length() -> None:
    definition = tuning_job_pb2.TrainingJobDefinition()
    definition.parameter_ranges.categorical_parameter_ranges.add(name="c")
    request = request_with(definition)
    request.tuning_job.tags.update({str(index): "" for index in range(51)})
    found = violations(request)
    assert found["tuning_job.tags"].startswith("got 51 entries; ")
    assert found[f"{RANGES}.categorical_parameter_ranges[0].values"].startswith("got 0 entries; ")


def test_a_long_value_is_cut_short() -> None:
    request = request_with(tuning_job_pb2.TrainingJobDefinition())
    request.tuning_job.name = "a" * 5000
    (text,) = violations(request).values()
    assert len(text) < 300
    assert text.startswith("got 'aaaa")
