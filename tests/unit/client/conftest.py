from __future__ import annotations

from collections.abc import Iterator

import pytest

from hrnn_tuner.client import RetryPolicy, TuningClient
from tests.unit.client.fake_service import FakeService, serving

FAST = RetryPolicy(initial_backoff_s=0.001, max_backoff_s=0.01)


@pytest.fixture
def service() -> Iterator[FakeService]:
    with serving(FakeService()) as running:
        yield running


@pytest.fixture
def client(service: FakeService) -> Iterator[TuningClient]:
    with TuningClient(service.address, timeout_s=10, retry=FAST) as connected:
        yield connected
