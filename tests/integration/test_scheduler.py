from __future__ import annotations

import random
import threading
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from hrnn_tuner.broker import Message
from hrnn_tuner.broker.memory import InMemoryHub
from hrnn_tuner.broker.topology import DEAD_EXCHANGE, REPORTS_EXCHANGE, REPORTS_SHARD, TASKS_EXCHANGE, build_topology
from hrnn_tuner.domain.clock import utc_now
from hrnn_tuner.domain.search_space import (
    CategoricalRange,
    Condition,
    ContinuousRange,
    IntegerRange,
    ParameterRange,
    SearchSpace,
)
from hrnn_tuner.domain.states import (
    CompletionReason,
    FailureCause,
    SecondaryState,
    TrainingJobState,
    TuningJobState,
)
from hrnn_tuner.domain.tuning_job import StrategyName, TuningJobSpec
from hrnn_tuner.store import Store
from hrnn_tuner.v1 import queue_pb2
from scheduler_service.convert import TASK_TYPE
from scheduler_service.definition_bandit import MINIMUM
from scheduler_service.service import SchedulerService
from tests.support.invariants import check_invariants, read_training_jobs
from tests.support.scheduling import SETTINGS, current, running, wait_for_end
from tests.support.simulated_worker import Faults, SimulatedWorker
from tests.support.tuning import create_job, make_spec
from tests.support.waiting import wait_until


@pytest.fixture
def hub() -> InMemoryHub:
    return InMemoryHub(build_topology(["default"]))


def test_a_job_runs_to_its_end_and_selects_its_best(store: Store, hub: InMemoryHub) -> None:
    job = create_job(store, make_spec(max_training_jobs=6, max_parallel=3), now=utc_now())
    with running(store, hub):
        ended = wait_for_end(store, job)
    assert (ended.state, ended.completion_reason) == (TuningJobState.COMPLETED, CompletionReason.MAX_JOBS)
    rows = read_training_jobs(store, job.id)
    best = max(rows, key=lambda row: (row.final_objective or 0.0, -row.number))
    assert (ended.best_number, ended.best_value) == (best.number, best.final_objective)
    assert all(row.artifact_uri.endswith(f"/job/{row.name}/attempt-1") for row in rows)


def test_a_grid_job_tries_every_combination_once(store: Store, hub: InMemoryHub) -> None:
    ranges = (CategoricalRange("flag", (True, False)), CategoricalRange("c", ("a", "b", "c")))
    spec = make_spec(max_training_jobs=6, max_parallel=4, ranges=ranges, strategy=StrategyName.GRID)
    job = create_job(store, spec, now=utc_now())
    with running(store, hub):
        wait_for_end(store, job)
    points = [tuple(row.proposal.hyperparameters.items()) for row in read_training_jobs(store, job.id)]
    assert len(set(points)) == 6


def with_definitions(spec: TuningJobSpec, **ranges: tuple[ParameterRange, ...]) -> TuningJobSpec:
    """The specification with a definition for each search space."""
    (definition,) = spec.definitions
    return replace(
        spec,
        definitions=tuple(replace(definition, name=name, space=SearchSpace(own)) for name, own in ranges.items()),
    )


def test_the_better_of_two_definitions_gets_more_training_jobs_and_each_its_minimum(
    store: Store, hub: InMemoryHub
) -> None:
    spec = with_definitions(
        make_spec(max_training_jobs=16, max_parallel=2, static={"k": 1, "flag": False}),
        low=(ContinuousRange("x", 0.0, 0.1),),
        high=(ContinuousRange("x", 0.8, 1.0),),
    )
    job = create_job(store, spec, now=utc_now())
    with running(store, hub, objective=lambda assignment: assignment.hyperparameters["x"].double_value):
        ended = wait_for_end(store, job)
    rows = read_training_jobs(store, job.id)
    shares = Counter(row.definition_name for row in rows)
    assert shares["low"] >= MINIMUM
    assert shares["high"] > shares["low"]
    assert rows[(ended.best_number or 0) - 1].definition_name == "high"


def test_a_definition_is_searched_beside_others_as_it_is_alone(store: Store, hub: InMemoryHub) -> None:
    spaces: dict[str, tuple[ParameterRange, ...]] = {
        "first": (ContinuousRange("x", 0.0, 1.0),),
        "second": (IntegerRange("k", 1, 9),),
    }
    both = create_job(store, with_definitions(make_spec("both", max_training_jobs=10), **spaces), now=utc_now())
    alone = create_job(
        store, with_definitions(make_spec("alone", max_training_jobs=10), first=spaces["first"]), now=utc_now()
    )
    with running(store, hub):
        wait_for_end(store, both)
        wait_for_end(store, alone)
    points = [
        [row.proposal.hyperparameters for row in read_training_jobs(store, job.id) if row.definition_name == "first"]
        for job in (both, alone)
    ]
    assert points[0] == points[1][: len(points[0])]


def test_the_end_of_one_definitions_space_leaves_the_others_their_share(store: Store, hub: InMemoryHub) -> None:
    spec = with_definitions(
        make_spec(max_training_jobs=9, max_parallel=3),
        two=(CategoricalRange("flag", (True, False)),),
        five=(IntegerRange("k", 1, 5),),
    )
    job = create_job(store, spec, now=utc_now())
    with running(store, hub):
        ended = wait_for_end(store, job)
    assert ended.completion_reason is CompletionReason.SPACE_EXHAUSTED
    shares = Counter(row.definition_name for row in read_training_jobs(store, job.id))
    assert shares == {"two": 2, "five": 5}


@pytest.mark.parametrize("strategy", [StrategyName.RANDOM, StrategyName.GRID, StrategyName.SOBOL])
def test_what_does_not_apply_takes_its_static_value_or_default(
    store: Store, hub: InMemoryHub, strategy: StrategyName
) -> None:
    ranges = (
        IntegerRange("k", 5, 6, condition=Condition("flag", (True,))),
        CategoricalRange("c", ("b", "c"), Condition("flag", (True,))),
        CategoricalRange("flag", (True, False)),
    )
    spec = make_spec(max_training_jobs=5, max_parallel=2, ranges=ranges, strategy=strategy, static={"k": 9})
    job = create_job(store, spec, now=utc_now())
    with running(store, hub):
        ended = wait_for_end(store, job)
    assert ended.completion_reason is CompletionReason.MAX_JOBS
    rows = read_training_jobs(store, job.id)
    assert len({repr(row.proposal.hyperparameters) for row in rows}) == 5
    (without,) = [row for row in rows if not row.hyperparameters["flag"]]
    assert without.proposal.hyperparameters == {"flag": False}
    assert (without.hyperparameters["k"], without.hyperparameters["c"]) == (9, "a")
    assert all(set(row.proposal.hyperparameters) == {"k", "c", "flag"} for row in rows if row is not without)


@pytest.mark.parametrize("example", range(4))
def test_limits_hold_under_two_schedulers_and_four_faulty_workers(store: Store, hub: InMemoryHub, example: int) -> None:
    rng = random.Random(example)
    faults = Faults(vanish=0.1, lose=0.15, fail=0.1, repeat=0.3)
    jobs = [
        create_job(
            store,
            make_spec(
                f"job-{index}",
                max_training_jobs=rng.randint(1, 12),
                max_parallel=rng.randint(1, 5),
                seed=rng.randint(0, 99),
            ),
            now=utc_now(),
        )
        for index in range(rng.randint(1, 3))
    ]
    with running(store, hub, schedulers=2, workers=4, slots=2, faults=faults):
        ended = [wait_for_end(store, job) for job in jobs]
    for row in ended:
        assert row.counters.launched == row.spec.limits.max_training_jobs


def test_proposals_do_not_depend_on_faults_or_on_the_order_of_results(store: Store, hub: InMemoryHub) -> None:
    calm = create_job(store, make_spec("calm", max_training_jobs=8, max_parallel=1), now=utc_now())
    with running(store, hub):
        wait_for_end(store, calm)
    wild = create_job(store, make_spec("wild", max_training_jobs=8, max_parallel=4), now=utc_now())
    with running(store, hub, schedulers=2, workers=3, faults=Faults(lose=0.3, repeat=0.5)):
        wait_for_end(store, wild)
    points = [[row.proposal.hyperparameters for row in read_training_jobs(store, job.id)] for job in (calm, wild)]
    assert points[0] == points[1]


def test_an_attempt_whose_worker_vanished_is_tried_again_elsewhere(store: Store, hub: InMemoryHub) -> None:
    job = create_job(store, make_spec(max_training_jobs=1, max_parallel=1), now=utc_now())
    with running(store, hub, train_s=60) as fleet:
        wait_until(lambda: any(row.dispatched for row in read_training_jobs(store, job.id)), 10, "a start")
        fleet[0].stop()
        with running(store, hub, schedulers=0):
            ended = wait_for_end(store, job)
    assert ended.state is TuningJobState.COMPLETED
    (row,) = read_training_jobs(store, job.id)
    assert row.attempt >= 2
    assert any(step.state is SecondaryState.RESTARTING for step in row.transitions)


def test_attempts_are_bounded_and_the_cause_is_named(store: Store, hub: InMemoryHub) -> None:
    job = create_job(store, make_spec(max_training_jobs=1, max_parallel=1, max_attempts=2), now=utc_now())
    with running(store, hub, faults=Faults(lose=1.0)):
        ended = wait_for_end(store, job)
    assert ended.state is TuningJobState.FAILED
    assert "none of 1 training jobs" in ended.failure_reason
    (row,) = read_training_jobs(store, job.id)
    assert (row.attempt, row.failure_cause) == (2, FailureCause.WORKER_LOST)
    assert "trainer died (attempt 2 of 2)" in row.failure_reason


def test_a_failing_training_job_does_not_end_the_tuning_job(store: Store, hub: InMemoryHub) -> None:
    job = create_job(store, make_spec(max_training_jobs=10, max_parallel=2), now=utc_now())
    with running(store, hub, faults=Faults(fail=0.5)):
        ended = wait_for_end(store, job)
    assert ended.state is TuningJobState.COMPLETED
    failed = [row for row in read_training_jobs(store, job.id) if row.state is TrainingJobState.FAILED]
    assert failed
    assert all(row.failure_reason == "no luck" for row in failed)


def test_a_stop_ends_everything_within_two_seconds(store: Store, hub: InMemoryHub) -> None:
    job = create_job(store, make_spec(max_training_jobs=50, max_parallel=4), now=utc_now())
    with running(store, hub, train_s=60):
        wait_until(lambda: sum(row.dispatched for row in read_training_jobs(store, job.id)) == 2, 10, "two starts")
        with store.write() as tx:  # as the API does it
            change = tx.change(job.id, utc_now())
            assert change is not None
            change.job = change.job.enter(TuningJobState.STOPPING, utc_now())
            change.write()
        stopped_at = utc_now()
        ended = wait_for_end(store, job, timeout_s=10)
    assert ended.state is TuningJobState.STOPPED
    assert ended.ended_at is not None
    assert (ended.ended_at - stopped_at).total_seconds() < 2
    assert all(row.state is TrainingJobState.STOPPED for row in read_training_jobs(store, job.id))


def test_the_maximum_runtime_stops_what_runs_and_completes_the_job(store: Store, hub: InMemoryHub) -> None:
    spec = make_spec(max_training_jobs=50, max_parallel=2, max_runtime_s=120)
    job = create_job(store, spec, now=utc_now())
    link, worker_link = hub.connect("scheduler"), hub.connect("worker")
    offset = {"s": 0.0}
    service = SchedulerService(SETTINGS, store, link, clock=lambda: utc_now() + timedelta(seconds=offset["s"]))
    worker = SimulatedWorker(worker_link, slots=2, train_s=60).start()
    service.start()
    wait_until(lambda: sum(row.dispatched for row in read_training_jobs(store, job.id)) == 2, 10, "two starts")
    offset["s"] = 121.0
    ended = wait_for_end(store, job, timeout_s=10)
    worker.stop()
    service.stop()
    link.close()
    worker_link.close()
    assert (ended.state, ended.completion_reason) == (TuningJobState.COMPLETED, CompletionReason.MAX_RUNTIME)


def test_a_deleted_job_is_gone(store: Store, hub: InMemoryHub) -> None:
    job = create_job(store, make_spec(max_training_jobs=2), now=utc_now())
    with running(store, hub):
        wait_for_end(store, job)
        with store.write() as tx:
            change = tx.change(job.id, utc_now())
            assert change is not None
            change.job = change.job.enter(TuningJobState.DELETING, utc_now())
            change.write()
        wait_until(lambda: current(store, job) is None, 10, "the deletion")
    assert read_training_jobs(store, job.id) == []


def test_tasks_that_the_broker_lost_are_enqueued_again(
    store: Store, hub: InMemoryHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scheduler_service.oversight.LOST_TASK_AFTER", timedelta(seconds=0.5))
    job = create_job(store, make_spec(max_training_jobs=3, max_parallel=2), now=utc_now())
    with running(store, hub, workers=0):
        wait_until(
            lambda: sum(row.secondary is SecondaryState.QUEUED for row in read_training_jobs(store, job.id)) == 2,
            10,
            "two queued training jobs",
        )
    wiped = InMemoryHub(build_topology(["default"]))
    with running(store, wiped):
        ended = wait_for_end(store, job)
    assert ended.state is TuningJobState.COMPLETED
    assert all(row.attempt == 1 for row in read_training_jobs(store, job.id))


def test_garbage_in_every_queue_is_buried_and_the_job_goes_on(store: Store, hub: InMemoryHub) -> None:
    job = create_job(store, make_spec(max_training_jobs=4), now=utc_now())
    link = hub.connect("vandal")
    report_type = queue_pb2.Report.DESCRIPTOR.full_name
    foreign = queue_pb2.Task(assignments=[queue_pb2.TrainingAssignment(ref=queue_pb2.AttemptRef(tuning_job_id="\0"))])
    garbage = [Message("nonsense", b"\xff\xfe"), Message(report_type, b"\xff\xfe"), Message(report_type, b"")]
    with running(store, hub):
        for message in garbage:
            link.publish(REPORTS_EXCHANGE, REPORTS_SHARD, message)
        link.publish(DEAD_EXCHANGE, "", Message(TASK_TYPE, foreign.SerializeToString()))
        link.publish(DEAD_EXCHANGE, "", Message("nonsense", b"behind it"))
        wait_for_end(store, job)

        def buried() -> bool:
            with store.read() as tx:
                return tx.dead_messages.count() == len(garbage) + 2

        wait_until(buried, 10, "the garbage to be kept")
    link.close()


def test_a_task_that_dies_on_the_queue_ends_its_attempt(store: Store, hub: InMemoryHub) -> None:
    job = create_job(store, make_spec(max_training_jobs=1, max_parallel=1, max_attempts=1), now=utc_now())
    link = hub.connect("rejecting")
    with running(store, hub, workers=0):
        link.subscribe(f"{TASKS_EXCHANGE}.default", lambda delivery: delivery.reject(requeue=False), prefetch=1)
        ended = wait_for_end(store, job, timeout_s=10)
    link.close()
    assert ended.state is TuningJobState.FAILED
    (row,) = read_training_jobs(store, job.id)
    assert row.failure_cause is FailureCause.DISPATCH_LIMIT


def test_a_late_report_of_an_old_attempt_changes_nothing(store: Store, hub: InMemoryHub) -> None:
    job = create_job(store, make_spec(max_training_jobs=1, max_parallel=1), now=utc_now())
    caught: list[queue_pb2.TrainingAssignment] = []
    first = threading.Event()

    def remember(_worker: str, assignment: queue_pb2.TrainingAssignment) -> None:
        caught.append(assignment)
        first.set()

    with running(store, hub, faults=Faults(lose=0.5), on_start=remember) as fleet:
        ended = wait_for_end(store, job)
        link = hub.connect("zombie")
        late = queue_pb2.AttemptReport(ref=caught[0].ref, worker_id=fleet[0].id)
        late.ended.outcome = queue_pb2.AttemptEnded.OUTCOME_COMPLETED
        late.ended.final_metrics["score"] = 99.0
        body = queue_pb2.Report(attempt=late).SerializeToString()
        link.publish(REPORTS_EXCHANGE, REPORTS_SHARD, Message(queue_pb2.Report.DESCRIPTOR.full_name, body))
        wait_until(lambda: link.depth("hrnn.reports.v1.0") == 0, 10, "the report to be taken")
        link.close()
    after = check_invariants(store, job)
    assert replace(after, revision=0) == replace(ended, revision=0)


def test_equal_jobs_share_the_slots_equally(store: Store, hub: InMemoryHub) -> None:
    jobs = [
        create_job(store, make_spec(name, max_training_jobs=40, max_parallel=20), now=utc_now()) for name in ("a", "b")
    ]
    with running(store, hub, workers=2, slots=4, train_s=0.2):

        def active() -> list[int]:
            rows = [current(store, job) for job in jobs]
            return [row.counters.in_progress for row in rows if row is not None]

        wait_until(lambda: sum(active()) >= 8, 10, "all slots to be used")
        wait_until(lambda: abs(active()[0] - active()[1]) <= 1, 10, "equal shares")
        for job in jobs:
            wait_for_end(store, job)
