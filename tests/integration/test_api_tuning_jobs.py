"""Creating, reading, stopping, tagging and deleting tuning jobs."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import grpc
import pytest

from hrnn_tuner.client import AlreadyExistsError, FailedPreconditionError, NotFoundError, TuningError
from hrnn_tuner.domain.clock import utc_now
from hrnn_tuner.store import MetricPoint, Store
from hrnn_tuner.v1 import training_job_pb2, tuning_job_pb2
from tests.support.api import CSV, Api, definition_of, hrnn_spec_of, running_api, spec_of
from tests.support.invariants import check_invariants
from tests.support.tuning_life import complete, launch, start


def test_the_answer_shows_every_default(api: Api) -> None:
    spec = api.client.create_tuning_job(spec_of() | {"random_seed": "0"}).tuning_job.spec
    definition = spec.training_job_definitions[0]
    assert spec.HasField("random_seed")
    assert (spec.random_seed, spec.weight) == (0, 1)
    assert definition.retry_strategy.maximum_retry_attempts == 2
    assert definition.resource_class == "default"
    assert definition.output_uri == str(api.folder / "artifacts")
    assert api.client.get_tuning_job("job").spec == spec


def test_a_seed_is_drawn_once_and_kept(api: Api) -> None:
    spec = spec_of()
    del spec["random_seed"]
    drawn = api.client.create_tuning_job(spec).tuning_job.spec.random_seed
    assert 0 <= drawn < 2**53
    assert api.client.get_tuning_job("JOB").spec.random_seed == drawn


def test_a_grid_infers_its_number_of_training_jobs(api: Api) -> None:
    spec = spec_of(strategy="STRATEGY_GRID", resource_limits={"max_parallel_training_jobs": 2})
    values = [{"string_value": "a"}, {"string_value": "b"}, {"string_value": "c"}]
    flags = [{"bool_value": True}, {"bool_value": False}]
    ranges = [{"name": "c", "values": values}, {"name": "flag", "values": flags}]
    definition_of(spec)["parameter_ranges"] = {"categorical_parameter_ranges": ranges}
    limits = api.client.create_tuning_job(spec).tuning_job.spec.resource_limits
    assert limits.max_number_of_training_jobs == 6


def test_leaving_the_published_recipe_is_a_warning(api: Api) -> None:
    path = api.data / "interactions.csv"
    path.write_text(CSV)
    ranges = {"integer_parameter_ranges": [{"name": "bptt", "min_value": 20, "max_value": 40}]}
    answer = api.client.create_tuning_job(hrnn_spec_of("job", ("interactions", path), parameter_ranges=ranges))
    assert list(answer.warnings) == ["bptt is tuned over [20, 40], beyond the published recipe's [2, 32]"]
    assert list(api.client.get_tuning_job("job").warnings) == list(answer.warnings)


def test_the_same_request_id_gives_the_same_job(api_on_each_database: Api) -> None:
    client, request_id = api_on_each_database.client, str(uuid4())
    first = client.create_tuning_job(spec_of(), request_id=request_id)
    again = client.create_tuning_job(spec_of(), request_id=request_id)
    assert again.tuning_job.id == first.tuning_job.id
    with pytest.raises(AlreadyExistsError) as caught:
        client.create_tuning_job(spec_of("other"), request_id=request_id)
    assert caught.value.reason == "REQUEST_ID_REUSED"


def test_one_request_sent_eight_times_at_once_creates_one_job(api_on_each_database: Api) -> None:
    client, request_id = api_on_each_database.client, str(uuid4())
    barrier = threading.Barrier(8)

    def create(_: int) -> str:
        barrier.wait()
        return client.create_tuning_job(spec_of(), request_id=request_id).tuning_job.id

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(create, range(8)))) == 1


def test_a_taken_name_is_refused_without_regard_to_case(api: Api) -> None:
    api.client.create_tuning_job(spec_of("Nightly"))
    with pytest.raises(AlreadyExistsError, match="'nightly' exists already") as caught:
        api.client.create_tuning_job(spec_of("nightly"))
    assert caught.value.reason == "NAME_TAKEN"


def test_validating_stores_nothing(api: Api) -> None:
    answer = api.client.create_tuning_job(spec_of(), validate_only=True)
    assert answer.tuning_job.spec.name == "job"
    assert api.names == []


def test_the_quota_of_tuning_jobs_is_named(tmp_path: Path, sqlite_store: Store) -> None:
    with running_api(tmp_path, sqlite_store, max_tuning_jobs_in_progress=1) as api:
        api.client.create_tuning_job(spec_of("one"))
        with pytest.raises(TuningError, match="1 tuning jobs are in progress; allowed: 1") as caught:
            api.client.create_tuning_job(spec_of("two"))
    assert caught.value.code is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_stop_ends_what_waits_and_asks_what_runs(api_on_each_database: Api) -> None:
    api = api_on_each_database
    job_id = api.client.create_tuning_job(spec_of()).tuning_job.id
    launch(api.store, job_id, 2)
    start(api.store, job_id, 1)
    assert api.client.stop_tuning_job("job").state == tuning_job_pb2.TUNING_JOB_STATE_STOPPING
    assert api.client.stop_tuning_job("job").state == tuning_job_pb2.TUNING_JOB_STATE_STOPPING
    states = [job.state for job in api.client.list_training_jobs("job")]
    assert states == [training_job_pb2.TRAINING_JOB_STATE_STOPPING, training_job_pb2.TRAINING_JOB_STATE_STOPPED]


def test_a_job_that_waits_for_nothing_is_stopped_at_once(api: Api) -> None:
    api.client.create_tuning_job(spec_of())
    assert api.client.stop_tuning_job("job").state == tuning_job_pb2.TUNING_JOB_STATE_STOPPED
    assert api.client.stop_tuning_job("job").state == tuning_job_pb2.TUNING_JOB_STATE_STOPPED


def test_a_completed_job_cannot_be_stopped(api: Api) -> None:
    job_id = api.client.create_tuning_job(spec_of()).tuning_job.id
    complete(api.store, job_id, [0.1, 0.3, 0.2, 0.3])
    with pytest.raises(FailedPreconditionError, match="has ended already"):
        api.client.stop_tuning_job("job")
    assert api.client.get_tuning_job("job").best_training_job.number == 2


def test_only_an_ended_job_is_deleted(api: Api) -> None:
    job_id = api.client.create_tuning_job(spec_of()).tuning_job.id
    with pytest.raises(FailedPreconditionError, match="not in a terminal state"):
        api.client.delete_tuning_job("job")
    complete(api.store, job_id, [0.1, 0.2, 0.3, 0.4])
    api.client.delete_tuning_job("job")
    assert api.client.get_tuning_job("job").state == tuning_job_pb2.TUNING_JOB_STATE_DELETING


def test_one_training_job_is_stopped_and_the_tuning_job_goes_on(api: Api) -> None:
    job_id = api.client.create_tuning_job(spec_of()).tuning_job.id
    first, second = launch(api.store, job_id, 2)
    assert api.client.stop_training_job(first.name).state == training_job_pb2.TRAINING_JOB_STATE_STOPPED
    job = api.client.get_tuning_job("job")
    assert job.state == tuning_job_pb2.TUNING_JOB_STATE_IN_PROGRESS
    assert (job.training_job_state_counters.stopped, job.training_job_state_counters.in_progress) == (1, 1)
    assert api.client.get_training_job(second.name.upper()).number == 2


def test_tags_are_added_overwritten_and_removed(api: Api) -> None:
    job = api.client.create_tuning_job(spec_of(tags={"team": "a"})).tuning_job
    api.client.tag_tuning_job("job", {"team": "b", "cost": "7"})
    api.client.untag_tuning_job("job", ["cost", "unknown"])
    assert dict(api.client.get_tuning_job("job").spec.tags) == {"team": "b"}
    with pytest.raises(TuningError, match="there would be 51 tags; allowed: 50"):
        api.client.tag_tuning_job("job", {f"key{index}": "v" for index in range(50)})
    with api.store.read() as tx:
        stored = tx.tuning_jobs.get(job.id)
    assert stored is not None
    check_invariants(api.store, stored)


@pytest.mark.parametrize("call", ["get_tuning_job", "stop_tuning_job", "delete_tuning_job", "get_training_job"])
def test_an_unknown_name_is_not_found_and_named(shared_api: Api, call: str) -> None:
    with pytest.raises(NotFoundError, match="'nobody'"):
        getattr(shared_api.client, call)("nobody")


def test_metrics_are_paged_and_filtered(api: Api) -> None:
    job_id = api.client.create_tuning_job(spec_of()).tuning_job.id
    (training_job,) = launch(api.store, job_id, 1)
    now = utc_now()
    with api.store.write() as tx:
        change = tx.change(job_id, now)
        assert change is not None
        points = [MetricPoint(name, step, step / 10, 1, now) for step in range(1, 61) for name in ("loss", "score")]
        change.add_metrics(training_job, points)
        change.write()
    everything = list(api.client.list_metrics(training_job.name))
    assert [(point.step, point.metric_name) for point in everything[:3]] == [(1, "loss"), (1, "score"), (2, "loss")]
    assert len(everything) == 120
    scores = list(api.client.list_metrics(training_job.name, metric_names=["score"]))
    assert [point.step for point in scores] == list(range(1, 61))


def test_algorithms_show_hyperparameters_with_range_default_and_tunable(shared_api: Api) -> None:
    names = ["hrnn", "hrnn-coldstart", "hrnn-metadata", "popularity-count", "synthetic"]
    assert sorted(item.name for item in shared_api.client.list_algorithms()) == names
    hrnn = shared_api.client.get_algorithm("hrnn")
    declared = {item.name: item for item in hrnn.hyperparameters}
    hidden = declared["hidden_dimension"]
    assert hidden.default_value.integer_value == 43
    assert (hidden.recommended_min_value, hidden.recommended_max_value) == (32, 256)
    assert hidden.tunable
    assert not declared["max_user_history_length_percentile"].tunable
    assert (declared["seed"].default_value.integer_value, declared["seed"].tunable) == (0, False)
    with pytest.raises(NotFoundError, match="there are: hrnn, hrnn-coldstart, "):
        shared_api.client.get_algorithm("other")


def test_hyperband_settings_with_another_strategy_are_ignored_as_in_amt(api: Api) -> None:
    api.client.create_tuning_job(spec_of(strategy_config={"hyperband": {"min_resource": 1}}))
    assert api.names == ["job"]
