"""What is kept of the configurations that were tried is what the database says, whatever happened in between."""

from __future__ import annotations

from collections.abc import Hashable, Set

from hrnn_tuner.domain.clock import utc_now
from hrnn_tuner.domain.errors import ServiceUnavailable
from hrnn_tuner.domain.search_space import IntegerRange
from hrnn_tuner.domain.tuning_job import TuningJob
from hrnn_tuner.store import Store, Transaction
from scheduler_service.proposing.tried import TriedConfigurations
from tests.support.tuning import create_job, make_spec
from tests.support.tuning_life import launch

RANGES = (IntegerRange("x", 0, 1000),)


def tried(store: Store, job: TuningJob, kept: TriedConfigurations) -> Set[Hashable]:
    with store.write() as tx:
        return _tried(tx, job, kept)


def _tried(tx: Transaction, job: TuningJob, kept: TriedConfigurations) -> Set[Hashable]:
    change = tx.change(job.id, utc_now())
    assert change is not None
    return set(kept.of(change, job.spec.definitions[0]))


def test_kept_configurations_follow_what_any_scheduler_launches(store: Store) -> None:
    job = create_job(store, make_spec(ranges=RANGES, max_training_jobs=100, max_parallel=100))
    kept = TriedConfigurations()
    assert tried(store, job, kept) == set()
    for count in (1, 3, 2):
        launch(store, job.id, count)  # as another scheduler does
        assert tried(store, job, kept) == tried(store, job, TriedConfigurations())
    assert len(tried(store, job, kept)) == 6


def test_what_a_transaction_launches_and_takes_back_is_not_kept(store: Store) -> None:
    job = create_job(store, make_spec(ranges=RANGES, max_training_jobs=100, max_parallel=100))
    (launched,) = launch(store, job.id, 1)
    kept = TriedConfigurations()
    try:
        with store.write() as tx:
            change = tx.change(job.id, utc_now())
            assert change is not None
            key = {"x": 7}
            proposal = launched.proposal.__class__(key, "RANDOM", 1)
            change.launch(
                launched.__class__(**{**vars(launched), "number": 2, "name": "another", "proposal": proposal})
            )
            assert len(kept.of(change, job.spec.definitions[0])) == 2
            raise ServiceUnavailable("the commit failed")
    except ServiceUnavailable:
        pass
    assert tried(store, job, kept) == tried(store, job, TriedConfigurations())
    assert len(tried(store, job, kept)) == 1
