"""RabbitMQ users that may do what their service needs and nothing else, as a definitions file.

``python -m hrnn_tuner.broker.definitions > definitions.json`` takes the passwords from the environment:
``HRNN_TUNER_RABBITMQ_API_PASSWORD``, ``…_SCHEDULER_PASSWORD`` and ``…_WORKER_PASSWORD``. The file holds salted hashes
of them; ``rabbitmqctl import_definitions definitions.json`` or the setting ``load_definitions`` brings the users in.

Only the scheduler declares the topology. A worker that was taken over can neither read reports nor invent tasks, and
the API's user can do no more than send and receive hints.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hrnn_tuner.broker.topology import (
    CONTROL_EXCHANGE,
    EVENTS_EXCHANGE,
    JOBS_EXCHANGE,
    REPORTS_EXCHANGE,
    TASKS_EXCHANGE,
)

_SALT_BYTES = 4  # RabbitMQ's format
_OWN_QUEUES = r"amq\.gen-.*"


@dataclass(frozen=True)
class BrokerUser:
    """A service's user.

    Attributes:
        name: Of the user.
        password_variable: Environment variable with its password.
        configure: Objects that it declares.
        write: Exchanges that it publishes to, and queues that it binds.
        read: Queues that it consumes, and exchanges that it binds to.
    """

    name: str
    password_variable: str
    configure: str
    write: str
    read: str


def _any_of(*names: str) -> str:
    return f"^({'|'.join(names)})$"


def _exactly(name: str) -> str:
    return name.replace(".", r"\.")


USERS = (
    BrokerUser(
        "hrnn-api",
        "HRNN_TUNER_RABBITMQ_API_PASSWORD",
        configure=_any_of(_OWN_QUEUES),
        write=_any_of(_OWN_QUEUES, _exactly(JOBS_EXCHANGE)),
        read=_any_of(_OWN_QUEUES, _exactly(EVENTS_EXCHANGE)),
    ),
    BrokerUser(
        "hrnn-scheduler",
        "HRNN_TUNER_RABBITMQ_SCHEDULER_PASSWORD",
        configure=_any_of(r"hrnn\..*"),
        write=_any_of(r"hrnn\..*"),
        read=_any_of(r"hrnn\..*"),
    ),
    BrokerUser(
        "hrnn-worker",
        "HRNN_TUNER_RABBITMQ_WORKER_PASSWORD",
        configure=_any_of(_OWN_QUEUES),
        write=_any_of(_OWN_QUEUES, _exactly(REPORTS_EXCHANGE)),
        read=_any_of(_OWN_QUEUES, _exactly(CONTROL_EXCHANGE), rf"{_exactly(TASKS_EXCHANGE)}\..+"),
    ),
)


def definitions(passwords: Mapping[str, str], vhost: str = "/") -> dict[str, Any]:
    """The document for RabbitMQ.

    Args:
        passwords: By name of the user.
        vhost: The virtual host with the topology.
    """
    return {
        "vhosts": [{"name": vhost}],
        "users": [
            {
                "name": user.name,
                "password_hash": password_hash(passwords[user.name]),
                "hashing_algorithm": "rabbit_password_hashing_sha256",
                "tags": "",
            }
            for user in USERS
        ],
        "permissions": [
            {"user": user.name, "vhost": vhost, "configure": user.configure, "write": user.write, "read": user.read}
            for user in USERS
        ],
    }


def password_hash(password: str) -> str:
    """A password as RabbitMQ stores it: base64 of a random salt and the SHA-256 of salt and password."""
    salt = secrets.token_bytes(_SALT_BYTES)
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def main() -> None:
    """Prints the definitions with the passwords of the environment."""
    missing = [user.password_variable for user in USERS if not os.environ.get(user.password_variable)]
    if missing:
        sys.exit(f"set {', '.join(missing)}")
    passwords = {user.name: os.environ[user.password_variable] for user in USERS}
    vhost = os.environ.get("HRNN_TUNER_RABBITMQ_VHOST", "/")
    sys.stdout.write(json.dumps(definitions(passwords, vhost), indent=2) + "\n")


if __name__ == "__main__":
    main()
