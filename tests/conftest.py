"""Fixtures that all tests may use. Each lives in a module of tests/support."""

from __future__ import annotations

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
