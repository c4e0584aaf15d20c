"""Fixtures that all tests may use. Each lives in a module of tests/support."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

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
if "PYTEST_XDIST_WORKER" in os.environ:  # before anything imports torch: every process of tests has one core
    os.environ["OMP_NUM_THREADS"] = "1"


class _ServicesTogether(LoadScopeScheduling):  # type: ignore[misc] # xdist has no types
    """Gives each process whole files of tests, and one of them all tests of whole services.

    Those kill brokers and start many processes: two at a time would disturb each other.
    """

    def _split_scope(self, nodeid: str) -> str:
        """Names what stays together."""
        file = nodeid.partition("::")[0]
        return "services" if file.startswith(("tests/chaos/", "tests/contract/", "tests/e2e/")) else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling:
    """Decides which process of tests gets which (``-n``)."""
    return _ServicesTogether(config, log)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Marks tests that use RabbitMQ: they also run with its other versions."""
    if isinstance(item, pytest.Function) and _RABBITMQ & {*item.fixturenames}:
        item.add_marker(pytest.mark.rabbitmq)
