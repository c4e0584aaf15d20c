from __future__ import annotations

import grpc
from google.protobuf import json_format

from hrnn_tuner.cli.bar import stacked_bar
from hrnn_tuner.v1 import explanation_pb2 as pb
from hrnn_tuner.v1.parameters_pb2 import HyperparameterValue
from hrnn_tuner.v1.training_job_pb2 import OBJECTIVE_STATUS_PENDING, OBJECTIVE_STATUS_SUCCEEDED
from hrnn_tuner.v1.tuning_job_pb2 import OBJECTIVE_TYPE_MAXIMIZE, Objective
from hrnn_tuner.v1.tuning_service_pb2 import ExplainTuningJobResponse
from tests.unit.cli.conftest import Invoke
from tests.unit.client.fake_service import FakeService, Refusal

BPTT = {"bptt": HyperparameterValue(integer_value=20)}


def insight(name: str = "", note: str = "") -> pb.TrainingJobDefinitionInsight:
    found = pb.TrainingJobDefinitionInsight(
        definition_name=name,
        objective=Objective(type=OBJECTIVE_TYPE_MAXIMIZE, metric_name="precision_at_25"),
        observed=2,
        pending=1,
        note=note,
    )
    if not note:
        found.importances.add(name="bptt", main_effect=0.5, total_effect=0.75)
        found.explained_variance = 0.875
        found.predicted_best.CopyFrom(
            pb.PredictedBest(tuned_hyperparameters=BPTT, mean=0.25, standard_deviation=0.01, training_job_number=2)
        )
    return found


def explanation(*insights: pb.TrainingJobDefinitionInsight) -> ExplainTuningJobResponse:
    start = pb.ProposalExplanation(
        training_job_number=1,
        tuned_hyperparameters=BPTT,
        strategy="BAYESIAN",
        origin=pb.PROPOSAL_ORIGIN_START_DESIGN,
        explanation="point 1 of the start design",
        objective_status=OBJECTIVE_STATUS_SUCCEEDED,
        final_objective_value=0.1,
        decisions=[
            pb.ExplainedDecision(kind="BEST", explanation="best objective value so far"),
            pb.ExplainedDecision(kind="EARLY_STOPPED", explanation="MEDIAN: 0.1 is worse than 0.2"),
        ],
    )
    learnt = pb.ProposalExplanation(
        training_job_number=2,
        tuned_hyperparameters=BPTT,
        strategy="BAYESIAN",
        origin=pb.PROPOSAL_ORIGIN_MODEL,
        intent=pb.PROPOSAL_INTENT_EXPLOIT,
        explanation="Gaussian process of 1 results: predicted 0.2: exploits; believes 'mine' by 0.5 of 1",
        acquisition_value=-3.5,
        predicted_mean=0.2,
        predicted_standard_deviation=0.05,
        best_observed=0.1,
        objective_status=OBJECTIVE_STATUS_PENDING,
    )
    drawn = pb.ProposalExplanation(
        training_job_number=3, strategy="RANDOM", origin=pb.PROPOSAL_ORIGIN_RANDOM, explanation="draw 3"
    )
    ended = pb.ExplainedDecision(
        kind="TARGET_REACHED", explanation="demo-1 reached the target", figures={"target": 0.1, "value": 0.1}
    )
    return ExplainTuningJobResponse(
        name="demo", insights=insights or [insight()], decisions=[ended], proposals=[start, learnt, drawn]
    )


def test_importance_is_drawn_and_the_best_guess_printed(service: FakeService, invoke: Invoke) -> None:
    service.answers("ExplainTuningJob", explanation())
    shown = invoke("explain", "demo").stdout
    assert "MAXIMIZE precision_at_25: 2 results, 0 failed, 1 pending" in shown
    assert "bptt 50% 75% ████████████░░░░░░" in [" ".join(line.split()) for line in shown.splitlines()]
    assert "predicts 88% of their variance" in shown
    assert "predicted best: precision_at_25 0.25 ± 0.01 (training job 2 has it)" in shown
    assert "at bptt=20" in shown


def test_every_proposal_says_why(service: FakeService, invoke: Invoke) -> None:
    service.answers("ExplainTuningJob", explanation())
    lines = [" ".join(line.split()) for line in invoke("explain", "demo").stdout.splitlines()]
    assert "1 bptt=20 BAYESIAN START_DESIGN - - - 0.1 point 1 of the start design" in lines
    assert "EARLY_STOPPED: MEDIAN: 0.1 is worse than 0.2" in lines
    shown = next(line for line in lines if line.startswith("2 bptt=20 BAYESIAN MODEL EXPLOIT -3.5 0.2 ± 0.05 pending"))
    assert shown.endswith("Gaussian process of 1 results; believes 'mine' by 0.5 of 1")
    assert "3 RANDOM - - - - draw 3" in lines
    assert "TARGET_REACHED demo-1 reached the target (target 0.1, value 0.1)" in lines


def test_too_few_results_are_said_instead_of_numbers(service: FakeService, invoke: Invoke) -> None:
    service.answers("ExplainTuningJob", explanation(insight(note="at least 5 training jobs are needed")))
    shown = invoke("explain", "demo").stdout
    assert "at least 5 training jobs are needed" in shown
    assert "predicted best" not in shown
    assert "importance of" not in shown


def test_several_definitions_are_told_apart(service: FakeService, invoke: Invoke) -> None:
    service.answers("ExplainTuningJob", explanation(insight("small"), insight("large")))
    shown = invoke("explain", "demo").stdout
    assert "small: MAXIMIZE" in shown
    assert "large: MAXIMIZE" in shown


def test_a_job_without_training_jobs_is_no_error(service: FakeService, invoke: Invoke) -> None:
    service.answers("ExplainTuningJob", ExplainTuningJobResponse(name="demo"))
    assert invoke("explain", "demo").stdout.strip() == "no training jobs"


def test_the_explanation_as_json_reads_back(service: FakeService, invoke: Invoke) -> None:
    answer = explanation()
    service.answers("ExplainTuningJob", answer)
    printed = invoke("explain", "demo", "-o", "json").stdout
    assert json_format.Parse(printed, ExplainTuningJobResponse()) == answer


def test_pages_are_put_together(service: FakeService, invoke: Invoke) -> None:
    first, second = explanation(), explanation()
    first.next_page_token = "more"
    second.ClearField("insights")
    second.ClearField("decisions")
    service.answers("ExplainTuningJob", first, second)
    printed = invoke("explain", "demo", "-o", "json").stdout
    whole = json_format.Parse(printed, ExplainTuningJobResponse())
    assert (len(whole.insights), len(whole.decisions), len(whole.proposals)) == (1, 1, 6)
    assert (whole.next_page_token, service.requests["ExplainTuningJob"][1].page_token) == ("", "more")


def test_an_unknown_job_exits_as_not_found(service: FakeService, invoke: Invoke) -> None:
    service.answers("ExplainTuningJob", Refusal(grpc.StatusCode.NOT_FOUND, "there is no tuning job named 'demo'"))
    result = invoke("explain", "demo")
    assert result.exit_code == 3
    assert "there is no tuning job named 'demo'" in result.stderr


def test_help_explains_the_bars(invoke: Invoke) -> None:
    assert "solid bar" in " ".join(invoke("explain", "--help").stdout.replace("│", " ").split())


def test_a_bar_has_two_parts_and_never_more_than_its_width() -> None:
    assert stacked_bar(0.25, 0.5, 8) == "██░░"
    assert stacked_bar(1.0, 1.0, 8) == "█" * 8
    assert stacked_bar(0.6, 0.5, 10) == "█" * 6
    assert stacked_bar(-1.0, 7.0, 4) == "░" * 4
    assert stacked_bar(0.0, 0.0) == ""
