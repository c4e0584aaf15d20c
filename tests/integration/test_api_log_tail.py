"""Streams of one tuning job share what is read of its log."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from api_service.log_tail import LogTail, Page
from hrnn_tuner.domain.tuning_job import TuningJob
from hrnn_tuner.store import Store
from tests.support.tuning import create_job, make_spec, open_store, sqlite_url
from tests.support.tuning_life import finish, launch, start

Result = TypeVar("Result")


class Reader:
    """Runs reads at once and counts them."""

    def __init__(self) -> None:
        self.reads = 0

    def __call__(self, call: Callable[[], Result]) -> Awaitable[Result]:
        return self._run(call)

    async def _run(self, call: Callable[[], Result]) -> Result:
        self.reads += 1
        await asyncio.sleep(0)  # others go on meanwhile, as with a thread
        return call()


@pytest.fixture
def log(tmp_path: Path) -> tuple[Store, TuningJob]:
    store = open_store(sqlite_url(tmp_path))
    job = create_job(store, make_spec(max_training_jobs=50, max_parallel=50))
    launch(store, job.id, 20)
    return store, job


async def whole(tail: LogTail, revision: int = 0) -> list[int]:
    """Follows the log to its end."""
    revisions: list[int] = []
    while (page := await tail.read(revisions[-1] if revisions else revision)) is not None and page.messages:
        revisions += page.revisions
    return revisions


async def test_a_hundred_streams_read_each_page_once(
    log: tuple[Store, TuningJob], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api_service.log_tail.PAGE_SIZE", 20)
    store, job = log
    reader = Reader()
    tail = LogTail(store, reader, job)
    found = await asyncio.gather(*(whole(tail) for _ in range(100)))
    with store.read() as tx:
        bounds = tx.tuning_jobs.log_bounds(job.id)
    assert bounds is not None
    assert all(revisions == list(range(1, bounds.end + 1)) for revisions in found)
    assert reader.reads <= bounds.end // 20 + 3, "one read for each page, and one that finds nothing more"


async def test_a_stream_that_starts_in_the_middle_joins_the_others(log: tuple[Store, TuningJob]) -> None:
    store, job = log
    reader = Reader()
    tail = LogTail(store, reader, job)
    first = await tail.read(0)
    assert first is not None
    rest = await tail.read(first.revisions[3])
    assert rest is not None
    assert (rest.revisions, list(rest.messages)) == (first.revisions[4:], list(first.messages[4:]))
    assert reader.reads == 1


async def test_streams_that_ask_after_a_change_see_it_whoever_reads(log: tuple[Store, TuningJob]) -> None:
    store, job = log
    tail = LogTail(store, Reader(), job)
    revision = (await whole(tail))[-1]
    for number in range(1, 6):
        start(store, job.id, number, points=2)
        finish(store, job.id, number, 0.1 * number)
        pages = await asyncio.gather(*(tail.read(revision) for _ in range(10)))
        assert all(page is not None and page.messages for page in pages)
        (end,) = {page.until for page in pages if page is not None}
        revision = end


async def test_old_pages_are_read_again_and_say_the_same(
    log: tuple[Store, TuningJob], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api_service.log_tail.PAGE_SIZE", 2)
    store, job = log
    tail = LogTail(store, Reader(), job)
    first = await tail.read(0)
    end = (await whole(tail))[-1]
    assert await tail.read(0) == first
    assert await tail.read(end) == Page(end, (), ())
