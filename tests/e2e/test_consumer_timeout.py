"""A training job that takes longer than a broker waits for an acknowledgement."""

from __future__ import annotations

from pathlib import Path

import pytest

from hrnn_tuner.v1 import training_job_pb2
from tests.support.specifications import synthetic_spec
from tests.support.stack import Stack

#: Brokers look for messages that were not acknowledged in time about once a minute; the tests' node allows one minute.
LONGER_S = 150.0
_EPOCHS = 3


@pytest.mark.minutes
@pytest.mark.timeout(LONGER_S + 120)
def test_a_training_job_may_outlast_the_brokers_consumer_timeout(
    tmp_path: Path, postgres_database: str, amqp_vhost_url: str
) -> None:
    with Stack(tmp_path, database_url=postgres_database, broker_url=amqp_vhost_url, slots=1) as stack:
        stack.client.create_tuning_job(
            synthetic_spec(
                "long", max_training_jobs=1, max_parallel=1, epochs=_EPOCHS, epoch_seconds=LONGER_S / _EPOCHS
            )
        )
        stack.client.wait("long", timeout_s=LONGER_S + 60)
        (job,) = stack.client.list_training_jobs("long")
        logs = "".join(service.log for service in stack.services)
    assert job.state == training_job_pb2.TRAINING_JOB_STATE_COMPLETED
    assert job.attempt == 1
    assert "PRECONDITION_FAILED" not in logs
