from __future__ import annotations

import math
import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from hrnn_tuner.domain.access import Role
from hrnn_tuner.domain.api_token import new_token
from hrnn_tuner.domain.errors import AlreadyExists, ServiceUnavailable
from hrnn_tuner.domain.search_space import CategoricalRange, ContinuousRange, IntegerRange, Scaling
from hrnn_tuner.domain.states import SecondaryState
from hrnn_tuner.domain.training_job import Proposal, TrainingJob
from hrnn_tuner.domain.tuning_job import TuningJob
from hrnn_tuner.store import (
    EventKind,
    JobChange,
    MetricPoint,
    OutboxMessage,
    Store,
    TrainingJobOrder,
    TrainingJobQuery,
    TuningJobOrder,
    TuningJobQuery,
    Worker,
)
from hrnn_tuner.store.engine import open_engines
from hrnn_tuner.store.migrate import migrate
from hrnn_tuner.store.schema import metadata
from tests.support.invariants import check_invariants, read_events
from tests.support.tuning import START, create_job, make_job, make_spec


def add_training_job(change: JobChange, number: int) -> TrainingJob:
    """Launches a training job the short way."""
    job = TrainingJob(
        change.job.id,
        number,
        f"{change.job.spec.name}-{number:03d}-{change.job.id[:8]}",
        "",
        Proposal({"x": number / 10}, "RANDOM", 1),
        {"x": number / 10, "flag": True},
        SecondaryState.PENDING,
        1,
        "token",
        change.now,
    )
    change.launch(job)
    return job


def test_the_migrations_give_exactly_the_tables_of_the_schema(database_url: str) -> None:
    migrate(database_url)
    writer, reader = open_engines(database_url)
    with writer.begin() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    writer.dispose()
    reader.dispose()


def test_a_job_of_the_first_schema_is_read_after_the_migrations_and_kept_on_the_way_back(database_url: str) -> None:
    migrate(database_url)
    store = Store(database_url)
    job = create_job(store, make_spec())
    with_points(store, job, [MetricPoint("score", 1, 0.5, 1, START)])
    migrate(database_url, "0001")
    migrate(database_url)
    with store.read() as tx:
        read = tx.tuning_jobs.get(job.id)
        assert read is not None
        assert (read.spec, read.choices) == (job.spec, ())
        assert len(tx.metrics.page(job.id, 1, metrics=[], after=None, limit=9).rows) == 1
        assert [decision.kind for decision in tx.events.decisions(job.id, [0])] == ["CREATED"]
    store.close()


def test_going_back_behind_projects_keeps_the_default_one_and_shows_no_other(database_url: str) -> None:
    migrate(database_url)
    store = Store(database_url)
    jobs = {project: create_job(store, make_spec(), project=project) for project in ("default", "other")}
    for job in jobs.values():
        with_points(store, job, [MetricPoint("score", 1, 0.5, 1, START)])
    migrate(database_url, "0005")
    migrate(database_url)
    with store.read() as tx:
        assert tx.tuning_jobs.get(jobs["default"].id) is not None
        assert tx.events.after(jobs["default"].id, 0, limit=1)
        assert len(tx.metrics.page(jobs["default"].id, 1, metrics=[], after=None, limit=9).rows) == 1
        assert tx.tuning_jobs.get(jobs["other"].id) is None
        assert tx.events.after(jobs["other"].id, 0, limit=1) == []
    store.close()


def test_names_and_request_ids_are_unique_in_a_project_only(store: Store) -> None:
    with store.write() as tx:
        for project in ("red", "blue"):
            tx.create(make_job(make_spec("Job"), project=project), request_id="r", request_hash="h").write()
    for name, request_id in (("JOB", "other"), ("other", "r")):
        with pytest.raises(AlreadyExists), store.write() as tx:
            tx.create(make_job(make_spec(name), project="red"), request_id=request_id, request_hash="h").write()
    with store.read() as tx:
        found = [tx.tuning_jobs.by_name(project, "job") for project in ("red", "blue", "green")]
        assert [job and job.project for job in found] == ["red", "blue", None]


def test_a_token_comes_back_as_it_was_written_and_is_revoked_once(store: Store) -> None:
    token, text = new_token("red", Role.WRITE, START, expires_at=START + timedelta(days=1), description="nightly")
    with store.write() as tx:
        tx.tokens.add(token)
    with store.write() as tx:
        assert tx.tokens.get(token.id) == token
        assert tx.tokens.all("blue") == []
        assert tx.tokens.revoke(token.id, START) == tx.tokens.revoke(token.id, START + timedelta(days=2))
    with store.read() as tx:
        (stored,) = tx.tokens.all("red")
    assert stored.revoked_at == START
    assert text not in repr(stored)


def test_concurrent_migrations_wait_for_each_other(database_url: str) -> None:
    errors: list[Exception] = []

    def run() -> None:
        try:
            migrate(database_url)
        except Exception as error:  # noqa: BLE001 - collected for the assertion
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert errors == []


def test_a_tuning_job_comes_back_as_it_was_written(store: Store) -> None:
    ranges = (
        IntegerRange("k", 1, 9, Scaling.LOGARITHMIC),
        ContinuousRange("x", 0.0, 0.999, Scaling.REVERSE_LOGARITHMIC),
        CategoricalRange("c", (True, 3, 2.5, "text")),
    )
    spec = make_spec(ranges=ranges, max_runtime_s=3600, static={"k": 5, "x": 1.0, "flag": False, "c": "a"})
    job = create_job(store, replace(spec, seed=0))
    with store.read() as tx:
        read = tx.tuning_jobs.get(job.id)
        assert read is not None
        assert read.spec == job.spec
        assert [type(value) for value in read.spec.definitions[0].space.ranges[2].choices] == [bool, int, float, str]  # type: ignore[union-attr]
        assert tx.tuning_jobs.by_name("default", "JOB") == read


def test_names_are_unique_without_regard_to_case(store: Store) -> None:
    create_job(store, make_spec("Nightly"))
    with pytest.raises(AlreadyExists, match="'nightly'"):
        create_job(store, make_spec("nightly"))


def test_a_transaction_that_raises_leaves_nothing_behind(store: Store) -> None:
    job = create_job(store, make_spec())

    def fail() -> None:
        with store.write() as tx:
            change = tx.change(job.id, START)
            assert change is not None
            add_training_job(change, 1)
            change.write()
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        fail()
    with store.read() as tx:
        assert tx.training_jobs.get(job.id, 1) is None
    check_invariants(store, job)


def test_every_change_has_its_own_revision_and_the_log_ends_with_the_row(store: Store) -> None:
    job = create_job(store, make_spec(max_training_jobs=3, max_parallel=3))
    for number in (1, 2):
        with store.write() as tx:
            change = tx.change(job.id, START + timedelta(seconds=number))
            assert change is not None
            added = add_training_job(change, number)
            done = added.started("w", change.now).completed(1.0, {"score": 1.0}, f"/{added.name}/attempt-1", change.now)
            change.put(added, done)
            change.write()
    row = check_invariants(store, job)
    assert row.best_number == 1
    assert [event.kind for event in read_events(store, job.id)][-1] is EventKind.TUNING_JOB


def test_an_unchanged_job_writes_no_event(store: Store) -> None:
    job = create_job(store, make_spec())
    before = len(read_events(store, job.id))
    with store.write() as tx:
        change = tx.change(job.id, START)
        assert change is not None
        change.write()
    assert len(read_events(store, job.id)) == before


def with_points(store: Store, job: TuningJob, points: list[MetricPoint]) -> None:
    with store.write() as tx:
        change = tx.change(job.id, START)
        assert change is not None
        training_job = tx.training_jobs.get(job.id, 1) or add_training_job(change, 1)
        change.add_metrics(training_job, points)
        change.write()


def test_a_repeated_metric_point_is_stored_once_and_the_first_value_stays(store: Store) -> None:
    job = create_job(store, make_spec())
    with_points(store, job, [MetricPoint("score", 1, 0.5, 1, START)])
    with_points(store, job, [MetricPoint("score", 1, 0.9, 1, START), MetricPoint("score", 2, 0.6, 1, START)])
    with store.read() as tx:
        page = tx.metrics.page(job.id, 1, metrics=[], after=None, limit=10)
    assert [(point.step, point.value) for point in page.rows] == [(1, 0.5), (2, 0.6)]
    batches = [event for event in read_events(store, job.id) if event.kind is EventKind.METRICS]
    assert [len(event.body["points"]) for event in batches] == [1, 1]


def test_nan_and_infinite_metrics_survive_storage(store: Store) -> None:
    job = create_job(store, make_spec())
    values = [math.nan, math.inf, -math.inf]
    with_points(store, job, [MetricPoint("loss", step, value, 1, START) for step, value in enumerate(values, 1)])
    with store.read() as tx:
        read = [point.value for point in tx.metrics.page(job.id, 1, metrics=["loss"], after=None, limit=9).rows]
    assert math.isnan(read[0])
    assert read[1:] == values[1:]


@pytest.mark.parametrize("order", list(TuningJobOrder))
@pytest.mark.parametrize("descending", [False, True])
def test_pages_of_tuning_jobs_join_to_the_whole_list_though_jobs_are_added(
    store: Store, order: TuningJobOrder, descending: bool
) -> None:
    for index in range(7):
        create_job(store, make_spec(f"job-{index}"), now=START + timedelta(seconds=index // 2))
    query = TuningJobQuery("default", order=order, descending=descending)
    names: list[str] = []
    cursor = None
    while True:
        with store.read() as tx:
            page = tx.tuning_jobs.page(query, after=cursor, limit=3)
        names += [job.spec.name for job in page.rows]
        cursor = page.next
        if cursor is None:
            break
        create_job(store, make_spec(f"late-{len(names)}"), now=START - timedelta(days=1))
    originals = [name for name in names if name.startswith("job")]
    assert sorted(originals) == [f"job-{index}" for index in range(7)]
    assert len(names) == len(set(names))


def test_training_jobs_without_a_value_are_left_out_when_sorted_by_it(store: Store) -> None:
    job = create_job(store, make_spec(max_training_jobs=5, max_parallel=5))
    with store.write() as tx:
        change = tx.change(job.id, START)
        assert change is not None
        for number, value in enumerate((0.2, None, 0.9, 0.9), start=1):
            added = add_training_job(change, number)
            if value is not None:
                change.put(added, added.started("w", START).completed(value, {}, "/a", START))
        change.write()
    query = TrainingJobQuery(job.id, TrainingJobOrder.FINAL_OBJECTIVE_VALUE, descending=True)
    with store.read() as tx:
        first = tx.training_jobs.page(query, after=None, limit=2)
        second = tx.training_jobs.page(query, after=first.next, limit=2)
    assert [row.number for row in (*first.rows, *second.rows)] == [4, 3, 1]


def test_two_relays_never_claim_the_same_message(store: Store) -> None:
    with store.write() as tx:
        for number in range(20):
            tx.outbox.add(OutboxMessage("e", "k", "t", f"m{number}", "job", b"body", number, 1), START)
    taken: list[int] = []

    def relay() -> None:
        for _ in range(20):
            with store.write() as tx:
                claimed = tx.outbox.claim(limit=1, before=START + timedelta(seconds=1))
                tx.outbox.remove([row_id for row_id, _ in claimed])
                taken.extend(message.number for _, message in claimed)

    threads = [threading.Thread(target=relay) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(taken) == list(range(20))


def test_concurrent_changes_of_one_job_lose_nothing(store: Store) -> None:
    job = create_job(store, make_spec(max_training_jobs=100, max_parallel=100))

    def launch() -> None:
        for _ in range(10):
            with store.write() as tx:
                change = tx.change(job.id, START)
                assert change is not None
                add_training_job(change, change.job.counters.launched + 1)
                change.write()

    threads = [threading.Thread(target=launch) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert check_invariants(store, job).counters.launched == 40


def test_a_database_that_is_away_is_reported_as_unavailable() -> None:
    store = Store("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    with pytest.raises(ServiceUnavailable):
        store.ping()
    with pytest.raises(ServiceUnavailable), store.write():
        pass


def test_an_unknown_kind_of_database_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="'mysql'; allowed: sqlite, postgresql"):
        Store("mysql://localhost/x")


def test_deleting_a_job_leaves_no_rows_of_it(store: Store) -> None:
    job = create_job(store, make_spec())
    with_points(store, job, [MetricPoint("score", 1, 0.5, 1, START)])
    other = make_job(make_spec("other"))
    with store.write() as tx:
        tx.create(other, request_id="r", request_hash="h").write()
        tx.tuning_jobs.delete(job.id)
    with store.read() as tx:
        assert tx.events.after(job.id, 0, limit=1) == []
        assert tx.metrics.page(job.id, 1, metrics=[], after=None, limit=1).rows == ()
        assert tx.tuning_jobs.by_request("default", "r") is not None


def test_messages_of_one_transaction_have_the_ids_of_their_own_rows(store: Store) -> None:
    messages = [OutboxMessage("e", "k", "t", f"m-{number}", "job", b"%d" % number, number, 1) for number in range(50)]
    with store.write() as tx:
        for message in messages:
            tx.outbox.add(message, START)
    with store.write() as other:
        claimed = other.outbox.claim(limit=100, before=START + timedelta(seconds=1))
        other.outbox.remove([row_id for row_id, _ in tx.outbox.added[:20]])
        left = other.outbox.claim(limit=100, before=START + timedelta(seconds=1))
    assert [message for _, message in tx.outbox.added] == messages
    assert dict(claimed) == dict(tx.outbox.added)
    assert {message.message_id for _, message in left} == {message.message_id for message in messages[20:]}


def test_a_heartbeat_says_whether_it_offers_new_slots(store: Store) -> None:
    beats = [("a", 2), ("a", 2), ("a", 4), ("b", 4), ("a", 4)]
    with store.write() as tx:
        news = [tx.workers.seen(Worker(name, "default", slots, START)) for name, slots in beats]
        slots = tx.workers.slots(seen_after=START)
    assert news == [True, False, True, True, False]
    assert slots == {"default": 8}
