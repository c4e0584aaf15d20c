"""One curve per training job: whatever attempts report, each step counts once, and every view shows the same."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hrnn_tuner.domain.states import SecondaryState
from hrnn_tuner.domain.training_job import Proposal, TrainingJob
from hrnn_tuner.store import Store
from hrnn_tuner.v1 import queue_pb2 as pb
from hrnn_tuner.v1.training_job_pb2 import MetricPoint
from scheduler_service.convert import attempt_ref
from scheduler_service.planner import Planner
from scheduler_service.proposing import Proposer
from scheduler_service.reports import ReportApplier
from scheduler_service.wakeup import Wakeup
from tests.support.curves import Curve, listed_curve, watched_curve
from tests.support.tuning import START, create_job, make_spec, open_store, sqlite_url

_NAMES = itertools.count(1)


@dataclass(frozen=True)
class Life:
    """One attempt: how far it trains beyond its start, where its last checkpoint is, and how it ends."""

    steps: int
    saved: int
    handed_back: bool
    usable: bool  #: whether the next attempt can use the checkpoint
    together: bool  #: whether its reports are applied in one transaction
    repeats: bool  #: whether every report comes twice


LIVES = st.lists(
    st.builds(
        Life,
        steps=st.integers(0, 4),
        saved=st.integers(0, 4),
        handed_back=st.booleans(),
        usable=st.booleans(),
        together=st.booleans(),
        repeats=st.booleans(),
    ),
    min_size=1,
    max_size=5,
)


@pytest.fixture(scope="module")
def lasting_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    opened = open_store(sqlite_url(tmp_path_factory.mktemp("curves")))
    yield opened
    opened.close()


class Scheduler:
    """Applies reports to one training job, each batch in a transaction of its own."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.job = create_job(store, make_spec(f"curve{next(_NAMES)}", max_attempts=100))
        planner = Planner(worker_ttl=timedelta(minutes=1), proposer=Proposer(store, Wakeup()))
        self.applier = ReportApplier(planner, log_bytes=0)
        with store.write() as tx:
            change = tx.change(self.job.id, START)
            assert change is not None
            proposal = Proposal({}, "RANDOM", 1)
            name = f"{self.job.spec.name}-1"
            job = TrainingJob(self.job.id, 1, name, "", proposal, {}, SecondaryState.PENDING, 1, "t1", START)
            change.launch(job)
            change.write()

    def row(self) -> TrainingJob:
        with self.store.read() as tx:
            job = tx.training_jobs.get(self.job.id, 1)
        assert job is not None
        return job

    def apply(self, ref: pb.AttemptRef, reports: list[pb.AttemptReport]) -> None:
        with self.store.write() as tx:
            change = tx.change(self.job.id, START)
            assert change is not None
            for report in reports:
                report.ref.CopyFrom(ref)
                report.worker_id = "w"
                self.applier.apply(tx, change, report, lambda _: None)
            change.write()


def metrics(points: dict[int, float]) -> pb.AttemptReport:
    rows = [MetricPoint(metric_name="score", step=step, value=value) for step, value in points.items()]
    return pb.AttemptReport(metrics=pb.AttemptMetrics(points=rows))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lives=LIVES)
def test_lists_and_watches_show_one_curve_with_each_step_once(lasting_store: Store, lives: list[Life]) -> None:
    scheduler = Scheduler(lasting_store)
    curve: Curve = {}  # as it must be
    usable = True
    stale: pb.AttemptRef | None = None
    for attempt, life in enumerate(lives, start=1):
        row = scheduler.row()
        ref = attempt_ref(row)
        reports = [pb.AttemptReport(started=pb.AttemptStarted())]
        start = row.checkpoint.step if row.checkpoint is not None else 0
        assert len(curve) == start, "what lies beyond the checkpoint is superseded as soon as the attempt is over"
        if start:
            problem = "" if usable else "is corrupt"
            reports.append(pb.AttemptReport(resumed=pb.AttemptResumed(step=start if usable else 0, problem=problem)))
            if not usable:
                start, curve = 0, {}
        reports.append(metrics({step: curve["score", step][0] for step in range(1, start + 1)}))  # once more
        last = start + life.steps
        saved = min(start + life.saved, last) if life.saved else 0
        for step in range(start + 1, last + 1):
            value = attempt + step / 100
            reports.append(metrics({step: value}))
            curve["score", step] = (value, attempt)
            if step == saved:
                checkpoint = pb.Checkpoint(step=step, uri="/c", digest="sha256:0")
                reports.append(pb.AttemptReport(checkpointed=pb.AttemptCheckpointed(checkpoint=checkpoint)))
        outcome = pb.AttemptEnded.OUTCOME_HANDED_BACK if life.handed_back else pb.AttemptEnded.OUTCOME_LOST
        ending = pb.AttemptReport(ended=pb.AttemptEnded(outcome=outcome))
        if life.repeats:
            reports = [report for report in reports for _ in range(2)]
        if stale is not None:
            scheduler.apply(stale, [metrics(dict.fromkeys(range(1, 10), -1.0))])
        for batch in [[*reports, ending]] if life.together else [[report] for report in [*reports, ending]]:
            if batch == [ending]:
                assert listed_curve(lasting_store, scheduler.job.id, 1) == curve
            scheduler.apply(ref, batch)
        known = saved if saved > start else start
        curve = {key: value for key, value in curve.items() if key[1] <= known}
        assert listed_curve(lasting_store, scheduler.job.id, 1) == curve
        assert watched_curve(lasting_store, scheduler.job.id, 1) == curve
        usable, stale = life.usable, ref
