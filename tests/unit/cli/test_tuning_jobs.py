from __future__ import annotations

from google.protobuf import json_format

from hrnn_tuner.v1 import tuning_service_pb2 as pb
from hrnn_tuner.v1.parameters_pb2 import SCALING_TYPE_LOGARITHMIC
from hrnn_tuner.v1.tuning_job_pb2 import (
    TUNING_JOB_STATE_STOPPED,
    WARM_START_TYPE_IDENTICAL_DATA_AND_ALGORITHM,
    TuningJob,
)
from tests.unit.cli.conftest import Invoke
from tests.unit.client.canned import training_job, tuning_job
from tests.unit.client.fake_service import FakeService


def test_list_shows_all_pages(service: FakeService, invoke: Invoke) -> None:
    done = tuning_job("COMPLETED", name="done", best=training_job(3, 0.25), completed=4)
    service.answers(
        "ListTuningJobs",
        pb.ListTuningJobsResponse(tuning_jobs=[tuning_job(name="running")], next_page_token="p2"),
        pb.ListTuningJobsResponse(tuning_jobs=[done]),
    )
    _, running, ended = invoke("list").stdout.splitlines()
    assert running.split()[:4] == ["running", "IN_PROGRESS", "0/4", "-"]
    assert ended.split()[:4] == ["done", "COMPLETED", "4/4", "0.25"]


def test_list_sends_its_filters(service: FakeService, invoke: Invoke) -> None:
    service.answers("ListTuningJobs", pb.ListTuningJobsResponse())
    result = invoke("list", "--state", "stopped", "--name-contains", "ml", "--sort", "name", "--reverse")
    assert "no tuning jobs" in result.stdout
    (request,) = service.requests["ListTuningJobs"]
    assert request.state == TUNING_JOB_STATE_STOPPED
    assert (request.order_by, request.descending) == (pb.TUNING_JOB_ORDER_NAME, True)
    assert request.name_contains == "ml"


def test_list_prints_one_json_document_of_all_pages(service: FakeService, invoke: Invoke) -> None:
    service.answers(
        "ListTuningJobs",
        pb.ListTuningJobsResponse(tuning_jobs=[tuning_job(name="a")], next_page_token="p2"),
        pb.ListTuningJobsResponse(tuning_jobs=[tuning_job(name="b")]),
    )
    answer = json_format.Parse(invoke("list", "-o", "json").stdout, pb.ListTuningJobsResponse())
    assert [job.name for job in answer.tuning_jobs] == ["a", "b"]


def test_describe_shows_what_was_asked_for_and_the_best(service: FakeService, invoke: Invoke) -> None:
    job = tuning_job("COMPLETED", best=training_job(2, 0.2, artifact_uri="/artifacts/2"), completed=4)
    service.answers("GetTuningJob", pb.GetTuningJobResponse(tuning_job=job))
    out = [" ".join(line.split()) for line in invoke("describe", "demo").stdout.splitlines()]
    for line in (
        "state COMPLETED (MAX_JOBS)",
        "strategy RANDOM, random_seed 7",
        "objective MAXIMIZE precision_at_25",
        "data interactions /data/interactions.csv",
        "tuned bptt 20 to 40",
        "static hidden_dimension 55",
        "warning bptt: 20 to 40 leaves the recipe's [2, 32]",
        "best training job demo-2-00000002",
        "precision_at_25 0.2",
        "artifact /artifacts/2",
        "runtime 1m 01s",
    ):
        assert line in out


def test_describe_shows_parents_choices_and_the_overall_best(service: FakeService, invoke: Invoke) -> None:
    job = tuning_job("COMPLETED", best=training_job(2, 0.2))
    config = job.spec.warm_start_config
    config.parent_tuning_job_names.extend(["monday", "tuesday"])
    config.type = WARM_START_TYPE_IDENTICAL_DATA_AND_ALGORITHM
    job.overall_best_training_job.CopyFrom(training_job(7, 0.3, job="monday"))
    job.autotune_choices.add(field="strategy", value="STRATEGY_GRID", reason="all 6 combinations can be tried")
    service.answers("GetTuningJob", pb.GetTuningJobResponse(tuning_job=job))
    out = [" ".join(line.split()) for line in invoke("describe", "demo").stdout.splitlines()]
    for line in (
        "warm start IDENTICAL_DATA_AND_ALGORITHM from monday, tuesday",
        "chosen strategy: STRATEGY_GRID (all 6 combinations can be tried)",
        "best training job demo-2-00000002",
        "overall best, of a parent monday-7-00000007",
        "precision_at_25 0.3",
    ):
        assert line in out


def test_describe_shows_the_overall_best_once_when_it_is_the_jobs_own(service: FakeService, invoke: Invoke) -> None:
    job = tuning_job("COMPLETED", best=training_job(2, 0.2))
    job.overall_best_training_job.CopyFrom(job.best_training_job)
    service.answers("GetTuningJob", pb.GetTuningJobResponse(tuning_job=job))
    assert invoke("describe", "demo").stdout.count("demo-2-00000002") == 1


def test_describe_shows_when_ranges_apply_and_how_many_values_a_grid_takes(
    service: FakeService, invoke: Invoke
) -> None:
    job = tuning_job()
    ranges = job.spec.training_job_definitions[0].parameter_ranges
    ranges.integer_parameter_ranges[0].grid_points = 5
    number = ranges.continuous_parameter_ranges.add(name="rate", min_value=0.001, max_value=1)
    number.scaling_type = SCALING_TYPE_LOGARITHMIC
    number.condition.name = "kind"
    number.condition.values.add(string_value="a")
    number.condition.values.add(string_value="b")
    choice = ranges.categorical_parameter_ranges.add(name="kind")
    choice.values.add(string_value="a")
    choice.condition.name = "mask"
    choice.condition.values.add(bool_value=True)
    service.answers("GetTuningJob", pb.GetTuningJobResponse(tuning_job=job))
    out = [" ".join(line.split()) for line in invoke("describe", "demo").stdout.splitlines()]
    assert "tuned bptt 20 to 40, 5 grid points" in out
    assert "tuned rate 0.001 to 1.0, LOGARITHMIC; only if kind is a or b" in out
    assert "tuned kind a; only if mask is true" in out


def test_describe_shows_how_data_are_read(service: FakeService, invoke: Invoke) -> None:
    job = tuning_job()
    channel = job.spec.training_job_definitions[0].data_channels[0]
    channel.columns.update({"TIMESTAMP": "rated_at", "USER_ID": "who"})
    channel.event_type, channel.event_value_threshold = "watch", 3.5
    service.answers("GetTuningJob", pb.GetTuningJobResponse(tuning_job=job))
    out = [" ".join(line.split()) for line in invoke("describe", "demo").stdout.splitlines()]
    assert (
        "data interactions /data/interactions.csv; TIMESTAMP from rated_at, USER_ID from who; "
        "only event_type 'watch' and event_value_threshold 3.5"
    ) in out


def test_a_long_artifact_uri_is_never_cut_off(service: FakeService, invoke: Invoke) -> None:
    uri = "s3://bucket/" + "0123456789" * 30
    job = tuning_job("COMPLETED", best=training_job(2, 0.2, artifact_uri=uri))
    service.answers("GetTuningJob", pb.GetTuningJobResponse(tuning_job=job))
    assert uri in "".join(invoke("describe", "demo").stdout.split())


def test_describe_prints_json_that_reads_back(service: FakeService, invoke: Invoke) -> None:
    service.answers("GetTuningJob", pb.GetTuningJobResponse(tuning_job=tuning_job()))
    assert json_format.Parse(invoke("describe", "demo", "-o", "json").stdout, TuningJob()) == tuning_job()


def test_stop_says_what_the_job_became(service: FakeService, invoke: Invoke) -> None:
    service.answers("StopTuningJob", pb.StopTuningJobResponse(tuning_job=tuning_job("STOPPING")))
    assert invoke("stop", "demo").stdout == "tuning job 'demo' is STOPPING\n"
    answer = json_format.Parse(invoke("stop", "demo", "-o", "json").stdout, pb.StopTuningJobResponse())
    assert answer.tuning_job == tuning_job("STOPPING")


def test_delete_says_that_artifacts_stay(service: FakeService, invoke: Invoke) -> None:
    service.answers("DeleteTuningJob", pb.DeleteTuningJobResponse())
    assert "artifacts are kept" in invoke("delete", "demo").stdout
    assert invoke("delete", "demo", "-o", "json").stdout == "{}\n"
    assert service.requests["DeleteTuningJob"][0].name == "demo"
