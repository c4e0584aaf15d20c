"""The checks of an installation, from its settings."""

from __future__ import annotations

import contextlib
import importlib
from functools import partial
from urllib.parse import urlsplit

from hrnn_tuner.doctor import api, broker, database, gpu, storage, versions
from hrnn_tuner.doctor.api import Server
from hrnn_tuner.doctor.contract import Check
from hrnn_tuner.settings import Settings

_LIBRARIES = ("hrnn_tuner.store.migrate", "hrnn_tuner.store.workers", "psycopg", "hrnn_tuner.broker.amqp_pika")
_DATABASE_ADVICE = "see that it runs and that HRNN_TUNER_DATABASE_URL names it"
_BROKER_ADVICE = "see that RabbitMQ runs and that HRNN_TUNER_BROKER_URL names it, with a user that may declare queues"
_DATA_ADVICE = "see that it exists and that this user, or its credentials, may read it"
_ARTIFACTS_ADVICE = "see that it exists and that this user, or its credentials, may write there"
_GPU_ADVICE = "see that nvidia-smi answers; a driver that hangs needs a restart of the machine"


def installation_checks(settings: Settings, server: Server) -> list[Check]:
    """All checks.

    Args:
        settings: What the services are told, as far as it is known here.
        server: The API.
    """
    _load_libraries()
    checks = [
        Check("versions", versions.check, "install hrnn-tuner again: pip install --upgrade hrnn-tuner"),
        Check("API", partial(api.check, server), api.ADVICE),
        Check("database", partial(database.check, settings), _DATABASE_ADVICE),
        Check("clock", partial(database.check_clock, settings), _DATABASE_ADVICE),
        Check("workers", partial(database.check_workers, settings), _DATABASE_ADVICE),
    ]
    if urlsplit(settings.broker_url).scheme != "memory":
        checks.append(Check("broker", partial(broker.check, settings), _BROKER_ADVICE))
    if not settings.data_prefixes:
        checks.append(Check("data", storage.no_prefixes, _DATA_ADVICE))
    checks += [Check("data", partial(storage.check_data, prefix), _DATA_ADVICE) for prefix in settings.data_prefixes]
    checks += [
        Check("artifacts", partial(storage.check_artifacts, settings.artifacts_url), _ARTIFACTS_ADVICE),
        Check("disk", partial(storage.check_disks, settings), "see that the file systems of the settings are mounted"),
        Check("GPU", gpu.check, _GPU_ADVICE, limit_s=gpu.LIMIT_S),
    ]
    return checks


def _load_libraries() -> None:
    """Loads what checks need, as far as it is installed: a slow disk is not to look like a database that hangs."""
    for name in _LIBRARIES:
        with contextlib.suppress(ImportError):  # the check says so
            importlib.import_module(name)
