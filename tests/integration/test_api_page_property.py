"""Pages of any size, in any order, with any inserts in between: what was there from the start comes exactly once."""

from __future__ import annotations

import itertools

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hrnn_tuner.v1 import tuning_service_pb2 as pb
from tests.support.api import Api
from tests.support.tuning import create_job, make_spec

_RUNS = itertools.count()
SUFFIXES = st.text("abc012", min_size=1, max_size=4)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    first=st.sets(SUFFIXES, min_size=1, max_size=9),
    later=st.lists(SUFFIXES, unique=True, max_size=6),
    sizes=st.lists(st.integers(1, 4), min_size=1, max_size=4),
    order=st.sampled_from(["NAME", "STATE", "CREATE_TIME"]),
    descending=st.booleans(),
)
def test_every_job_that_was_there_comes_exactly_once(
    api: Api, first: set[str], later: list[str], sizes: list[int], order: str, descending: bool
) -> None:
    prefix = f"run{next(_RUNS)}-"  # the filter keeps the examples apart
    for name in first:
        create_job(api.store, make_spec(prefix + name))
    waiting = [name for name in later if name not in first]
    request = pb.ListTuningJobsRequest(
        name_contains=prefix, order_by=f"TUNING_JOB_ORDER_{order}", descending=descending
    )
    seen: list[str] = []
    for size in itertools.cycle(sizes):
        request.page_size = size
        answer = api.stub.ListTuningJobs(request)
        assert len(answer.tuning_jobs) <= size
        seen += [job.name.removeprefix(prefix) for job in answer.tuning_jobs]
        request.page_token = answer.next_page_token
        if not answer.next_page_token:
            break
        if waiting:
            create_job(api.store, make_spec(prefix + waiting.pop()))
    assert len(seen) == len(set(seen)), "nothing twice"
    assert first <= set(seen) <= first | set(later), "nothing lost, nothing else"
