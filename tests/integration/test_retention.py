"""What ended tuning jobs leave behind goes when the operator says so, and nothing else does."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import pytest

from hrnn_tuner.broker import Message
from hrnn_tuner.broker.memory import InMemoryHub
from hrnn_tuner.broker.topology import build_topology
from hrnn_tuner.client import InvalidRequestError
from hrnn_tuner.domain.clock import utc_now
from hrnn_tuner.domain.retention import KEEP_TAG, Belongings
from hrnn_tuner.domain.tuning_job import TuningJob
from hrnn_tuner.settings import Settings
from hrnn_tuner.store import LogLine, Store
from scheduler_service.convert import TASK_TYPE
from scheduler_service.early_stopping import MedianActivation
from scheduler_service.outgoing import Outgoing
from scheduler_service.relay import Relay
from scheduler_service.replay import replay
from scheduler_service.retention import Retention, ages
from tests.support.api import Api
from tests.support.tuning import create_job, make_spec, open_store, sqlite_url
from tests.support.tuning_life import complete, launch, start
from worker_service.convert import parse_task
from worker_service.removal import Remover

DAY = timedelta(days=1)
EVERYTHING = dict.fromkeys(Belongings, DAY)


def sweep(store: Store, *, after: timedelta = 2 * DAY, of: dict[Belongings, timedelta] | None = None) -> Retention:
    """A sweep that believes that so much time has gone by."""
    broker = InMemoryHub(build_topology(["default"])).connect("scheduler")
    relay = Relay(store=store, broker=broker, outgoing=Outgoing(broker), clock=utc_now)
    return Retention(store=store, clock=lambda: utc_now() + after, relay=relay, ages=of or EVERYTHING)


def ended(store: Store, name: str = "job", values: tuple[float, ...] = (0.1, 0.3, 0.2), folder: str = "") -> TuningJob:
    """A tuning job that has ended, with something of everything."""
    spec = make_spec(name, max_training_jobs=len(values), output_uri=folder or "/tmp/artifacts")
    job = create_job(store, spec, now=utc_now())
    complete(store, job.id, values)
    with store.write() as tx:
        for number in range(1, len(values) + 1):
            tx.logs.add(job.id, number, [LogLine(1, 0, utc_now(), "STDOUT", "hello")], keep_bytes=99)
    return now_of(store, job)


def now_of(store: Store, job: TuningJob) -> TuningJob:
    with store.read() as tx:
        found = tx.tuning_jobs.get(job.id)
    assert found is not None
    return found


def left(store: Store, job: TuningJob) -> dict[Belongings, int]:
    """How much of everything there is."""
    with store.read() as tx:
        numbers = range(1, job.counters.launched + 1)
        rows = tx.training_jobs.numbered(job.id, numbers)
        pages = [tx.metrics.page(job.id, number, metrics=[], after=None, limit=99) for number in numbers]
        logs = [tx.logs.page(job.id, number, attempt=None, after=None, limit=99) for number in numbers]
        return {
            Belongings.EVENTS: len(tx.events.after(job.id, 0, limit=9999)),
            Belongings.METRICS: sum(len(page.rows) for page in pages),
            Belongings.LOGS: sum(len(page.rows) for page in logs),
            Belongings.ARTIFACTS: sum(row.artifact_uri != "" for row in rows),
        }


def tasks(store: Store) -> list[bytes]:
    with store.read() as tx:
        return [message.body for _, message in tx.outbox.claim(limit=99, before=utc_now() + 9 * DAY)]


@pytest.mark.parametrize("what", Belongings)
def test_each_kind_goes_by_itself_and_the_best_model_stays(store: Store, what: Belongings) -> None:
    job = ended(store)
    before = left(store, job)
    assert all(before.values())
    for _ in range(2):  # the second pass finds nothing
        sweep(store, of={what: DAY}).run()
    after = left(store, job)
    assert after[what] == (1 if what is Belongings.ARTIFACTS else 0)
    others = set(Belongings) - {what, Belongings.EVENTS}
    assert {key: after[key] for key in others} == {key: before[key] for key in others}
    assert after[Belongings.EVENTS] == {Belongings.EVENTS: 0, Belongings.ARTIFACTS: before[Belongings.EVENTS] + 4}.get(
        what, before[Belongings.EVENTS]
    )


def test_the_best_training_job_keeps_its_model_and_the_others_say_that_theirs_are_gone(store: Store) -> None:
    job = ended(store)
    sweep(store).run()
    with store.read() as tx:
        rows = tx.training_jobs.numbered(job.id, [1, 2, 3])
    assert [row.artifact_uri for row in rows] == ["", "/artifacts/2", ""]
    assert [row.final_objective for row in rows] == [0.1, 0.3, 0.2]
    assert now_of(store, job).best_number == 2


def test_a_worker_removes_the_models_and_nothing_else(store: Store, tmp_path: Path) -> None:
    job = ended(store, folder=str(tmp_path))
    with store.read() as tx:
        names = [row.name for row in tx.training_jobs.numbered(job.id, [1, 2, 3])]
    for name in [*names, "of-another-job"]:
        (tmp_path / "job" / name / "attempt-1").mkdir(parents=True)
        (tmp_path / "job" / name / "attempt-1" / "model.safetensors").write_text("weights")
    sweep(store).run()
    remover = Remover(Settings(artifacts_url=str(tmp_path)))
    orders = tasks(store)
    assert len(orders) == 2
    assert all(remover.done(parse_task(Message(TASK_TYPE, body))) for body in (*orders, *orders)), "twice is harmless"
    assert sorted(path.parent.parent.name for path in tmp_path.glob("job/*/*/*")) == sorted(
        [names[1], "of-another-job"]
    )


def test_pinned_running_and_young_tuning_jobs_keep_everything(store: Store) -> None:
    pinned = ended(store, "pinned")
    with store.write() as tx:
        change = tx.change(pinned.id, utc_now())
        assert change is not None
        change.job = type(pinned)(**{**vars(change.job), "tags": {KEEP_TAG: "true"}})
        change.write()
    running = create_job(store, make_spec("running"), now=utc_now() - 9 * DAY)
    launch(store, running.id, 1)
    start(store, running.id, 1, points=3)
    young = ended(store, "young")
    jobs = [now_of(store, job) for job in (pinned, running, young)]
    before = [left(store, job) for job in jobs]
    sweep(store, of=EVERYTHING | {Belongings.EVENTS: 9 * DAY}, after=timedelta(hours=23)).run()
    assert [left(store, job) for job in jobs] == before
    sweep(store).run()
    assert [left(store, job) for job in jobs[:2]] == before[:2]
    assert left(store, jobs[2])[Belongings.LOGS] == 0


def test_a_tag_that_is_taken_away_lets_go(store: Store) -> None:
    job = ended(store)
    for tags, kept in (({KEEP_TAG: "true"}, True), ({KEEP_TAG: "no"}, False)):
        with store.write() as tx:
            change = tx.change(job.id, utc_now())
            assert change is not None
            change.job = type(job)(**{**vars(change.job), "tags": tags})
            change.write()
        sweep(store, of={Belongings.METRICS: DAY}).run()
        assert bool(left(store, job)[Belongings.METRICS]) is kept


def test_several_schedulers_sweep_at_a_time(store: Store) -> None:
    jobs = [ended(store, f"job-{index}") for index in range(4)]
    errors: list[BaseException] = []

    def run() -> None:
        try:
            sweep(store).run()
        except BaseException as error:  # noqa: BLE001 - collected for the assertion
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    assert len(tasks(store)) == 2 * len(jobs), "each removal is ordered once"
    for job in jobs:
        assert left(store, job) | {Belongings.EVENTS: 0} == dict.fromkeys(Belongings, 0) | {Belongings.ARTIFACTS: 1}


def test_a_log_goes_in_parts_and_says_all_the_time_from_where_it_is_complete(store: Store) -> None:
    job = ended(store)
    last = -1
    while True:
        with store.write() as tx:
            change = tx.change(job.id, utc_now())
            assert change is not None
            more = change.trim_log(5)
            change.write()
        found = now_of(store, job)
        with store.read() as tx:
            kept = [event.revision for event in tx.events.after(job.id, 0, limit=9999)]
        assert kept == list(range(found.log_starts_after + 1, job.revision + 1))
        if not more:
            break
        assert found.log_starts_after == min(last + 5, job.revision) if last > 0 else 5
        last = found.log_starts_after
    assert found.log_starts_after == found.revision == job.revision


def test_more_tuning_jobs_than_a_pass_looks_at_are_reached_in_turn(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scheduler_service.retention._JOBS", 2)
    jobs = [ended(store, f"job-{index}", (0.1,)) for index in range(5)]
    passes = sweep(store, of={Belongings.LOGS: DAY})
    for remaining in (3, 1, 0):
        passes.run()
        assert sum(left(store, job)[Belongings.LOGS] for job in jobs) == remaining


def test_watching_from_before_what_is_left_is_out_of_range_and_says_where_to_go_on(api: Api) -> None:
    job = ended(api.store)
    early = next(iter(api.client.watch_tuning_job("job"))).resume_token
    sweep(api.store, of={Belongings.EVENTS: DAY}).run()
    for token in ("", early):
        with pytest.raises(InvalidRequestError, match="oldest_resume_token") as refused:
            list(api.client.watch_tuning_job("job", resume_token=token))
        assert (refused.value.code.name, refused.value.reason) == ("OUT_OF_RANGE", "RESUME_TOKEN_EXPIRED")
    oldest = api.client.get_tuning_job("job").oldest_resume_token
    assert refused.value.metadata["oldest_resume_token"] == oldest
    assert list(api.client.watch_tuning_job("job", resume_token=oldest)) == []
    assert api.client.wait("job").name == "job"
    assert api.client.explain_tuning_job("job").proposals
    assert now_of(api.store, job).log_starts_after == job.revision


def test_a_tuning_job_that_keeps_its_log_has_no_oldest_token(api: Api) -> None:
    ended(api.store)
    assert api.client.get_tuning_job("job").oldest_resume_token == ""


def test_a_log_that_is_gone_is_not_replayed(tmp_path: Path) -> None:
    store = open_store(sqlite_url(tmp_path))
    ended(store)
    sweep(store, of={Belongings.EVENTS: DAY}).run()
    with pytest.raises(Exception, match="was removed up to revision"):
        replay(store, "job", MedianActivation(3, 5))
    store.close()


@pytest.mark.parametrize(
    ("days", "kept"), [({}, set()), ({"retention_logs_days": 0.5, "retention_events_days": 7}, {"logs", "events"})]
)
def test_nothing_is_removed_unless_a_setting_says_so(days: dict[str, float], kept: set[str]) -> None:
    found = ages(Settings(**days))  # type: ignore[arg-type]
    assert {what.value for what in found} == kept
    assert found.get(Belongings.LOGS, timedelta(hours=12)) == timedelta(hours=12)
