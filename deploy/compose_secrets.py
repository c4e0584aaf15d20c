"""Makes the Compose stack's passwords when it starts for the first time, and files for those who need them.

Runs in a container of its own, without a network, that alone sees the passwords together; see `compose.yaml`. Each
other container sees one folder with nothing but its own:

    postgres/password                       of the database's owner
    rabbitmq/definitions.json               users with hashed passwords, permissions
    api/, scheduler/, worker/               settings of the service: hrnn_tuner_broker_url, hrnn_tuner_database_url
    minio/password, minio/credentials       of the object store, where there is one (compose.s3.yaml)

Standard library only. Every start writes the files anew from the passwords, so a folder that was lost comes back.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
import sys
from pathlib import Path

#: RabbitMQ's users: what each may configure, write and read. The schedulers declare exchanges and queues; the others
#: have nothing but exclusive queues with names of the broker's, and what they publish and consume.
PERMISSIONS = {
    "api": (r"^amq\.gen-.*$", r"^(hrnn\.jobs\.v1|amq\.gen-.*)$", r"^(hrnn\.events\.v1|amq\.gen-.*)$"),
    "scheduler": (r"^hrnn\..*$", r"^hrnn\..*$", r"^hrnn\..*$"),
    "worker": (
        r"^amq\.gen-.*$",
        r"^(hrnn\.reports\.v1|amq\.gen-.*)$",
        r"^(hrnn\.tasks\.v1\..*|hrnn\.control\.v1|amq\.gen-.*)$",
    ),
}
#: Services that know the database. A worker does not.
_WITH_DATABASE = ("api", "scheduler")


def main() -> None:
    """Writes below the folder that is the only argument."""
    root = Path(sys.argv[1])
    passwords = _passwords(root / "all" / "passwords.json", ("postgres", "minio", *PERMISSIONS))
    _write(root / "postgres" / "password", passwords["postgres"])
    _write(root / "rabbitmq" / "definitions.json", json.dumps(_definitions(passwords), indent=1))
    if (root / "minio").is_dir():
        _write(root / "minio" / "password", passwords["minio"])
        credentials = f"[default]\naws_access_key_id = hrnn-tuner\naws_secret_access_key = {passwords['minio']}\n"
        _write(root / "minio" / "credentials", credentials)
    for service in PERMISSIONS:
        broker = f"amqp://{service}:{passwords[service]}@rabbitmq:5672/"
        _write(root / service / "hrnn_tuner_broker_url", broker)
        if service in _WITH_DATABASE:
            database = f"postgresql+psycopg://hrnn_tuner:{passwords['postgres']}@postgres:5432/hrnn_tuner"
            _write(root / service / "hrnn_tuner_database_url", database)


def _passwords(path: Path, names: tuple[str, ...]) -> dict[str, str]:
    """The passwords by name: those of the first start, and fresh ones for names that have none."""
    known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    passwords = {name: known.get(name) or secrets.token_urlsafe(32) for name in names}
    if passwords != known:
        _write(path, json.dumps(passwords), 0o400)
    return passwords


def _definitions(passwords: dict[str, str]) -> dict[str, object]:
    """What RabbitMQ reads at its start (``load_definitions``); its own user ``guest`` is not made then."""
    return {
        "vhosts": [{"name": "/"}],
        "users": [
            {
                "name": service,
                "password_hash": _hashed(passwords[service]),
                "hashing_algorithm": "rabbit_password_hashing_sha256",
                "tags": "",
            }
            for service in PERMISSIONS
        ],
        "permissions": [
            {"user": service, "vhost": "/", "configure": configure, "write": write, "read": read}
            for service, (configure, write, read) in PERMISSIONS.items()
        ],
    }


def _hashed(password: str) -> str:
    """RabbitMQ's salted hash: four random bytes, then SHA-256 of them and the password."""
    salt = os.urandom(4)
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def _write(path: Path, text: str, mode: int = 0o444) -> None:
    """Replaces a file as a whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
        os.fchmod(file.fileno(), mode)  # whatever the umask
        file.write(text)
    temporary.replace(path)


if __name__ == "__main__":
    main()
