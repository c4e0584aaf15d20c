"""Logs of training jobs, from the report of a worker to the answer of the API."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hrnn_tuner.client import InvalidRequestError, NotFoundError
from hrnn_tuner.domain.training_job import TrainingJob
from hrnn_tuner.store import Store
from hrnn_tuner.v1 import queue_pb2 as pb
from hrnn_tuner.v1 import tuning_service_pb2
from hrnn_tuner.v1.training_job_pb2 import LOG_SOURCE_STDERR, LOG_SOURCE_STDOUT, LogLine
from scheduler_service.convert import attempt_ref
from scheduler_service.planner import Planner
from scheduler_service.proposing import Proposer
from scheduler_service.reports import ReportApplier, Verdict
from scheduler_service.wakeup import Wakeup
from tests.support.api import Api
from tests.support.tuning import START, create_job, make_spec
from tests.support.tuning_life import launch, start

LINE_BYTES = 10  #: of every line here, with its end


def apply(store: Store, job: TrainingJob, positions: range, *, worker: str = "worker", keep: int = 1 << 20) -> Verdict:
    """Applies a report with a line at each position."""
    planner = Planner(worker_ttl=timedelta(minutes=1), proposer=Proposer(store, Wakeup()))
    lines = [LogLine(position=at, source=LOG_SOURCE_STDOUT, text=f"{at:09}") for at in positions]
    for line in lines:
        line.time.FromDatetime(START)
    report = pb.AttemptReport(ref=attempt_ref(job), worker_id=worker, log=pb.AttemptLog(lines=lines))
    with store.write() as tx:
        change = tx.change(job.tuning_job_id, START)
        assert change is not None
        verdict = ReportApplier(planner, log_bytes=keep).apply(tx, change, report, lambda _: None)
        change.write()
    return verdict


def started(store: Store, name: str = "job") -> TrainingJob:
    job_id = create_job(store, make_spec(name)).id
    (job,) = launch(store, job_id, 1)
    start(store, job_id, 1)
    return job


def positions(store: Store, job: TrainingJob) -> list[int]:
    with store.read() as tx:
        page = tx.logs.page(job.tuning_job_id, job.number, attempt=None, after=None, limit=10_000)
    return [line.position for line in page.rows]


def revision(store: Store, job: TrainingJob) -> int:
    with store.read() as tx:
        found = tx.tuning_jobs.get(job.tuning_job_id)
        assert found is not None
        return found.revision


def test_a_line_that_comes_twice_is_stored_once_and_no_event_tells_of_lines(store: Store) -> None:
    job = started(store)
    before = revision(store, job)
    for _ in range(2):
        assert apply(store, job, range(0, 50, LINE_BYTES)) is Verdict.APPLIED
    assert positions(store, job) == [0, 10, 20, 30, 40]
    assert revision(store, job) == before


def test_an_attempt_keeps_its_newest_lines(store: Store) -> None:
    job = started(store)
    apply(store, job, range(0, 100, LINE_BYTES), keep=35)
    apply(store, job, range(100, 200, LINE_BYTES), keep=35)
    assert positions(store, job) == [170, 180, 190]


def test_lines_of_an_attempt_that_does_not_count_are_not_kept(store: Store) -> None:
    job = started(store)
    assert apply(store, job, range(0, 10, LINE_BYTES), worker="another") is Verdict.STALE
    assert positions(store, job) == []


def test_an_installation_may_keep_no_logs(store: Store) -> None:
    job = started(store)
    assert apply(store, job, range(0, 10, LINE_BYTES), keep=0) is Verdict.APPLIED
    assert positions(store, job) == []


def test_nul_and_control_characters_arrive_as_what_every_database_can_hold(store: Store) -> None:
    job = started(store)
    planner = Planner(worker_ttl=timedelta(minutes=1), proposer=Proposer(store, Wakeup()))
    line = LogLine(source=LOG_SOURCE_STDERR, text="a\0\x1b[31mb\N{GRINNING FACE}")
    report = pb.AttemptReport(ref=attempt_ref(job), worker_id="worker", log=pb.AttemptLog(lines=[line]))
    with store.write() as tx:
        change = tx.change(job.tuning_job_id, START)
        assert change is not None
        ReportApplier(planner, log_bytes=999).apply(tx, change, report, lambda _: None)
    with store.read() as tx:
        (kept,) = tx.logs.page(job.tuning_job_id, 1, attempt=1, after=None, limit=9).rows
    assert (kept.source, kept.text) == ("STDERR", "a\N{REPLACEMENT CHARACTER}\x1b[31mb\N{GRINNING FACE}")


def test_a_reader_pages_to_the_end_and_goes_on_from_there(api: Api) -> None:
    job = started(api.store)
    apply(api.store, job, range(0, 7000, LINE_BYTES))
    pages = list(api.client.list_training_job_logs(job.name))
    assert [line.position for page in pages for line in page.lines] == list(range(0, 7000, LINE_BYTES))
    assert len(pages) == 2
    (nothing,) = api.client.list_training_job_logs(job.name, resume_token=pages[-1].resume_token)
    assert not nothing.lines
    apply(api.store, job, range(7000, 7020, LINE_BYTES))
    (more,) = api.client.list_training_job_logs(job.name, resume_token=nothing.resume_token)
    assert [line.position for line in more.lines] == [7000, 7010]


def test_a_log_without_lines_has_a_token_from_which_a_reader_follows_it(api: Api) -> None:
    job = started(api.store)
    (empty,) = api.client.list_training_job_logs(job.name)
    apply(api.store, job, range(0, 10, LINE_BYTES))
    (page,) = api.client.list_training_job_logs(job.name, resume_token=empty.resume_token)
    assert [line.text for line in page.lines] == ["000000000"]


def test_lines_of_one_attempt_are_asked_for(api: Api) -> None:
    job = started(api.store)
    apply(api.store, job, range(0, 10, LINE_BYTES))
    (first,) = api.client.list_training_job_logs(job.name, attempt=1)
    (second,) = api.client.list_training_job_logs(job.name, attempt=2)
    assert (len(first.lines), len(second.lines)) == (1, 0)
    with pytest.raises(InvalidRequestError, match="page_token"):  # of another list
        list(api.client.list_training_job_logs(job.name, attempt=2, resume_token=first.resume_token))


def test_bad_requests_for_logs_are_refused(api: Api) -> None:
    with pytest.raises(NotFoundError, match="'nobody'"):
        list(api.client.list_training_job_logs("nobody"))
    with pytest.raises(InvalidRequestError, match="attempt"):
        list(api.client.list_training_job_logs("job", attempt=-1))
    request = tuning_service_pb2.ListTrainingJobLogsRequest(training_job_name="job", page_size=501)
    with pytest.raises(Exception, match="page_size"):
        api.stub.ListTrainingJobLogs(request)


def test_logs_go_with_their_tuning_job(store: Store) -> None:
    job = started(store)
    apply(store, job, range(0, 10, LINE_BYTES))
    with store.write() as tx:
        tx.tuning_jobs.delete(job.tuning_job_id)
    assert positions(store, job) == []
