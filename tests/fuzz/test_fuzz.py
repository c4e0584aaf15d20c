from __future__ import annotations

from pathlib import Path

from hrnn_tuner.store import Store
from tests.fuzz.world import fuzz, fuzzed_world
from tests.support.api import spec_of


def test_no_request_and_no_queue_message_brings_out_a_defect(tmp_path: Path, sqlite_store: Store) -> None:
    with fuzzed_world(tmp_path, sqlite_store) as world:
        for number in range(2):
            fuzz(world.rpcs.once, examples=150, number=number)
            fuzz(world.queues.once, examples=150, number=number)
        world.api.client.create_tuning_job(spec_of("after"))
        ended = world.api.client.wait("after", timeout_s=60)
        assert ended.training_job_state_counters.completed == 4, "the services still work"
    assert world.defects.found == []
