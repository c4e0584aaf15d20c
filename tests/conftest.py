"""Fixtures that all tests may use. Each lives in a module of tests/support."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# A busy machine makes an example slow, never wrong.
settings.register_profile("any-machine", deadline=None)
settings.load_profile("any-machine")

pytest_plugins = [
    "tests.support.api",
    "tests.support.databases",
    "tests.support.node",
    "tests.support.postgres",
    "tests.support.rabbitmq",
]

_RABBITMQ = {"rabbitmq_node", "amqp_url", "amqp_vhost_url", "private_vhost"}
_UNIT = Path(__file__).parent / "unit"
if "PYTEST_XDIST_WORKER" in os.environ:  # before anything imports torch: every process of tests has one core
    os.environ["OMP_NUM_THREADS"] = "1"


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what a test needs.

    With several processes of tests, those with services stay in one: they kill brokers and measure pauses. Those that
    use RabbitMQ also run with its other versions.
    """
    for item in items:
        if not item.path.is_relative_to(_UNIT):
            item.add_marker(pytest.mark.xdist_group("services"))
        if isinstance(item, pytest.Function) and _RABBITMQ & {*item.fixturenames}:
            item.add_marker(pytest.mark.rabbitmq)
