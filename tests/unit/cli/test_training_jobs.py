from __future__ import annotations

import pytest
from google.protobuf import json_format

from hrnn_tuner.cli.sparkline import sparkline
from hrnn_tuner.v1 import tuning_service_pb2 as pb
from hrnn_tuner.v1.training_job_pb2 import MetricPoint
from tests.unit.cli.conftest import Invoke
from tests.unit.client.canned import metrics, training_job, tuning_job
from tests.unit.client.fake_service import FakeService


def words(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def test_training_jobs_mark_the_best(service: FakeService, invoke: Invoke) -> None:
    best = training_job(2, 0.2)
    service.answers("GetTuningJob", pb.GetTuningJobResponse(tuning_job=tuning_job(best=best)))
    service.answers("ListTrainingJobs", pb.ListTrainingJobsResponse(training_jobs=[training_job(1), best]))
    header, first, second = words(invoke("training-jobs", "demo").stdout)
    assert header == ["#", "name", "state", "bptt", "recency_mask", "precision_at_25"]
    assert first == ["1", "demo-1-00000001", "TRAINING", "21", "true", "-"]
    assert second == ["2", "demo-2-00000002", "COMPLETED", "22", "true", "0.2", "★", "best"]


@pytest.mark.parametrize(
    ("maximize", "arguments", "descending"),
    [(True, [], True), (True, ["--reverse"], False), (False, [], False), (False, ["--reverse"], True)],
)
def test_sorting_by_objective_puts_the_best_first(
    service: FakeService, invoke: Invoke, maximize: bool, arguments: list[str], descending: bool
) -> None:
    service.answers("GetTuningJob", pb.GetTuningJobResponse(tuning_job=tuning_job(maximize=maximize)))
    service.answers("ListTrainingJobs", pb.ListTrainingJobsResponse())
    assert "no training jobs" in invoke("training-jobs", "demo", "--sort", "objective", *arguments).stdout
    (request,) = service.requests["ListTrainingJobs"]
    assert request.order_by == pb.TRAINING_JOB_ORDER_FINAL_OBJECTIVE_VALUE
    assert request.descending == descending


def test_training_jobs_print_json_that_reads_back(service: FakeService, invoke: Invoke) -> None:
    answer = pb.ListTrainingJobsResponse(training_jobs=[training_job(1, 0.1), training_job(2)])
    service.answers("GetTuningJob", pb.GetTuningJobResponse(tuning_job=tuning_job()))
    service.answers("ListTrainingJobs", answer)
    printed = invoke("training-jobs", "demo", "-o", "json").stdout
    assert json_format.Parse(printed, pb.ListTrainingJobsResponse()) == answer


def test_metrics_are_drawn_and_listed_by_epoch(service: FakeService, invoke: Invoke) -> None:
    points = [point for step in (1, 2, 3) for point in metrics(1, step, step / 10).points]
    service.answers("ListMetrics", pb.ListMetricsResponse(points=points))
    lines = words(invoke("metrics", "demo-1-00000001").stdout)
    assert ["loss", "9", "7", "7", "9", "█▅▁"] in lines
    assert ["precision_at_25", "0.1", "0.3", "0.1", "0.3", "▁▅█"] in lines
    assert ["epoch", "loss", "precision_at_25"] in lines
    assert ["3", "7", "0.3"] in lines


def test_metrics_of_several_attempts_are_told_apart(service: FakeService, invoke: Invoke) -> None:
    points = [MetricPoint(metric_name="loss", step=1, value=number, attempt=number) for number in (1, 2)]
    service.answers("ListMetrics", pb.ListMetricsResponse(points=points))
    lines = words(invoke("metrics", "demo-1-00000001", "--metric", "loss").stdout)
    assert ["attempt", "epoch", "loss"] in lines
    assert ["2", "1", "2"] in lines
    assert service.requests["ListMetrics"][0].metric_names == ["loss"]


def test_too_many_metrics_are_named_but_not_tabulated(service: FakeService, invoke: Invoke) -> None:
    points = [MetricPoint(metric_name=f"m{number}", step=1, attempt=1) for number in range(8)]
    service.answers("ListMetrics", pb.ListMetricsResponse(points=points))
    assert "not shown: m6, m7; choose with --metric" in invoke("metrics", "demo-1-00000001").stdout


def test_metrics_print_json_that_reads_back_even_nan(service: FakeService, invoke: Invoke) -> None:
    points = [MetricPoint(metric_name="loss", step=1, value=value, attempt=1) for value in (float("nan"), 1.5)]
    service.answers("ListMetrics", pb.ListMetricsResponse(points=points))
    printed = invoke("metrics", "demo-1-00000001", "-o", "json").stdout
    first, second = json_format.Parse(printed, pb.ListMetricsResponse()).points
    assert first.value != first.value
    assert second.value == 1.5


def test_metrics_of_a_job_that_has_not_started_are_not_an_error(service: FakeService, invoke: Invoke) -> None:
    service.answers("ListMetrics", pb.ListMetricsResponse())
    assert invoke("metrics", "demo-1-00000001").stdout == "no metrics yet\n"


def test_a_sparkline_marks_what_is_not_finite() -> None:
    assert sparkline([0.0, float("nan"), 1.0]) == "▁!█"
    assert sparkline([float("inf")]) == "!"
    assert sparkline([]) == ""


def test_a_flat_series_is_drawn_in_the_middle() -> None:
    assert sparkline([3.0, 3.0]) == "▅▅"


def test_a_long_series_is_thinned_out_and_ends_with_its_last_value() -> None:
    line = sparkline([float(number) for number in range(1000)], width=10)
    assert len(line) == 10
    assert line[-1] == "█"
