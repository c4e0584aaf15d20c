"""Fixtures that all tests may use. Each lives in a module of tests/support."""

from __future__ import annotations

pytest_plugins = [
    "tests.support.api",
    "tests.support.databases",
    "tests.support.node",
    "tests.support.postgres",
    "tests.support.rabbitmq",
]
