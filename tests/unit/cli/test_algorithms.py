from __future__ import annotations

from google.protobuf import json_format

from hrnn_tuner.v1 import algorithm_pb2 as pb_algorithm
from hrnn_tuner.v1 import tuning_service_pb2 as pb
from hrnn_tuner.v1.parameters_pb2 import (
    SCALING_TYPE_LOGARITHMIC,
    CategoricalParameterRange,
    HyperparameterValue,
    IntegerParameterRange,
    ParameterRanges,
)
from hrnn_tuner.v1.tuning_job_pb2 import OBJECTIVE_TYPE_MAXIMIZE
from tests.unit.cli.conftest import Invoke
from tests.unit.client.fake_service import FakeService

HRNN = pb_algorithm.Algorithm(
    name="hrnn",
    description="Hierarchical recurrent network.",
    hyperparameters=[
        pb_algorithm.HyperparameterSpec(
            name="bptt",
            type=pb_algorithm.HYPERPARAMETER_TYPE_INTEGER,
            description="Steps of back-propagation.",
            default_value=HyperparameterValue(integer_value=32),
            min_value=1,
            max_value=512,
            tunable=True,
            recommended_min_value=2,
            recommended_max_value=32,
        ),
        pb_algorithm.HyperparameterSpec(
            name="cell",
            type=pb_algorithm.HYPERPARAMETER_TYPE_CATEGORICAL,
            default_value=HyperparameterValue(string_value="gru"),
            choices=[HyperparameterValue(string_value="gru"), HyperparameterValue(string_value="lstm")],
        ),
        pb_algorithm.HyperparameterSpec(
            name="rate",
            type=pb_algorithm.HYPERPARAMETER_TYPE_CONTINUOUS,
            default_value=HyperparameterValue(double_value=0.001),
            min_value=0,
        ),
    ],
    metrics=[pb_algorithm.MetricSpec(name="precision_at_25", objective_type=OBJECTIVE_TYPE_MAXIMIZE)],
    channels=[
        pb_algorithm.ChannelSpec(
            name="interactions",
            required=True,
            required_columns=["USER_ID", "ITEM_ID"],
            options=["columns", "event_type"],
            description="Who used what.",
        ),
        pb_algorithm.ChannelSpec(
            name="items", required_columns=["ITEM_ID"], min_metadata_columns=1, max_metadata_columns=50
        ),
    ],
    aliases=["aws-hrnn", "arn:aws:personalize:::recipe/aws-hrnn"],
    default_parameter_ranges=ParameterRanges(
        integer_parameter_ranges=[
            IntegerParameterRange(name="bptt", min_value=4, max_value=16, scaling_type=SCALING_TYPE_LOGARITHMIC)
        ],
        categorical_parameter_ranges=[
            CategoricalParameterRange(name="cell", values=[HyperparameterValue(string_value="gru")])
        ],
    ),
)


def test_all_algorithms_are_listed(service: FakeService, invoke: Invoke) -> None:
    service.answers("ListAlgorithms", pb.ListAlgorithmsResponse(algorithms=[HRNN]))
    assert "Hierarchical recurrent network." in invoke("algorithms").stdout
    printed = invoke("algorithms", "-o", "json").stdout
    assert json_format.Parse(printed, pb.ListAlgorithmsResponse()).algorithms[0] == HRNN


def test_one_algorithm_is_shown_in_full(service: FakeService, invoke: Invoke) -> None:
    service.answers("GetAlgorithm", pb.GetAlgorithmResponse(algorithm=HRNN))
    lines = [" ".join(line.split()) for line in invoke("algorithms", "hrnn").stdout.splitlines()]
    assert "bptt integer [1, 512] 32 yes [2, 32] 4 to 16, LOGARITHMIC Steps of back-propagation." in lines
    assert "cell categorical gru, lstm gru no gru" in lines
    assert "rate continuous [0, inf) 0.001 no" in lines
    assert "precision_at_25 maximize" in lines
    assert "interactions yes USER_ID, ITEM_ID columns, event_type Who used what." in lines
    assert "items no ITEM_ID, 1 to 50 of metadata" in lines
    assert "also: aws-hrnn, arn:aws:personalize:::recipe/aws-hrnn" in lines


def test_one_algorithm_is_printed_as_json_that_reads_back(service: FakeService, invoke: Invoke) -> None:
    service.answers("GetAlgorithm", pb.GetAlgorithmResponse(algorithm=HRNN))
    assert json_format.Parse(invoke("algorithms", "hrnn", "-o", "json").stdout, pb_algorithm.Algorithm()) == HRNN


def test_an_installation_without_algorithms_says_so(service: FakeService, invoke: Invoke) -> None:
    service.answers("ListAlgorithms", pb.ListAlgorithmsResponse())
    assert "no algorithms" in invoke("algorithms").stdout
