"""All services in this process, with tuning jobs that wait to be fuzzed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from hrnn_tuner.store import Store
from scheduler_service.service import SchedulerService
from tests.fuzz.queues import Defects, QueueFuzzer
from tests.fuzz.rpcs import RpcFuzzer
from tests.support.api import CSV, SYNTHETIC, Api, definition_of, running_api, spec_of
from tests.support.bad_requests import limits
from tests.support.scheduling import SETTINGS
from tests.support.waiting import wait_until
from worker_service.composition import build_worker

#: Nobody takes the tasks of this class: its training jobs wait for whatever reports the fuzzer makes up.
_UNTAKEN = "other"


@dataclass(frozen=True)
class World:
    """What is fuzzed, and what went wrong."""

    api: Api
    rpcs: RpcFuzzer
    queues: QueueFuzzer
    defects: Defects


@contextmanager
def fuzzed_world(folder: Path, store: Store) -> Iterator[World]:
    """Runs API, scheduler and worker, with a tuning job whose training jobs nobody takes."""
    defects = Defects()
    before = structlog.get_config()
    structlog.configure(processors=[defects], cache_logger_on_first_use=False)
    with ExitStack() as stack:
        stack.callback(lambda: structlog.configure(**before))
        classes = ("default", _UNTAKEN)
        api = stack.enter_context(
            running_api(folder, store, resource_classes=classes, max_tuning_jobs_in_progress=1000)
        )
        (api.data / "interactions.csv").write_text(CSV)
        scheduler_link = stack.enter_context(api.hub.connect("scheduler"))
        scheduler = SchedulerService(SETTINGS, store, scheduler_link)
        scheduler.start()
        stack.callback(scheduler.stop)
        worker_settings = SETTINGS.model_copy(
            update={
                "algorithms": (SYNTHETIC,),
                "cache_dir": folder / "cache",
                "artifacts_url": str(folder / "artifacts"),
            }
        )
        worker = build_worker(worker_settings, stack.enter_context(api.hub.connect("worker")))
        worker.start()
        stack.callback(worker.stop, 20.0)
        spec = spec_of("job", **limits(jobs=500, parallel=4))
        definition_of(spec)["resource_class"] = _UNTAKEN
        api.client.create_tuning_job(spec)
        wait_until(lambda: list(api.client.list_training_jobs("job")), 30, "a training job to fuzz")
        with store.read() as tx:
            job = tx.tuning_jobs.by_name("default", "job")
        assert job is not None
        known = ["job", api.client.get_tuning_job("job").resume_token, next(api.client.list_training_jobs("job")).name]
        rpcs = RpcFuzzer(api, known)
        stack.callback(rpcs.close)
        link = stack.enter_context(api.hub.connect("fuzz"))
        yield World(api, rpcs, QueueFuzzer(link, store, job.id, worker.worker_id), defects)


def fuzz(once: Callable[[Any], None], *, examples: int, number: int) -> None:
    """Does something with so many sets of drawn values; the same number draws the same ones."""

    @seed(number)
    @settings(
        max_examples=examples, deadline=None, database=None, print_blob=False, suppress_health_check=list(HealthCheck)
    )
    @given(st.data())
    def run(data: st.DataObject) -> None:
        once(data.draw)

    run()
