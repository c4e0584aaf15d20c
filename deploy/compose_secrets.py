"""Makes the Compose stack's passwords when it starts for the first time, and files for those who need them.

Runs in a container of its own, without a network, that alone sees the passwords together; see `compose.yaml`. Each
other container sees one folder with nothing but its own:

    postgres/password                       of the database's owner
    rabbitmq/definitions.json               users with hashed passwords, permissions
    api/, scheduler/, worker/               settings of the service: hrnn_tuner_broker_url, hrnn_tuner_database_url
    minio/password, minio/credentials       of the object store, where there is one (compose.s3.yaml)

Every start writes the files anew from the passwords, so a folder that was lost comes back.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
from pathlib import Path

from hrnn_tuner.broker.definitions import USERS, definitions

#: Services that know the database. A worker does not.
_WITH_DATABASE = ("api", "scheduler")


def main() -> None:
    """Writes below the folder that is the only argument."""
    root = Path(sys.argv[1])
    users = [user.name for user in USERS]
    passwords = _passwords(root / "all" / "passwords.json", ("postgres", "minio", *users))
    _write(root / "postgres" / "password", passwords["postgres"])
    _write(root / "rabbitmq" / "definitions.json", json.dumps(definitions(passwords), indent=1))
    if (root / "minio").is_dir():
        _write(root / "minio" / "password", passwords["minio"])
        credentials = f"[default]\naws_access_key_id = hrnn-tuner\naws_secret_access_key = {passwords['minio']}\n"
        _write(root / "minio" / "credentials", credentials)
    for user in users:
        service = user.removeprefix("hrnn-")
        broker = f"amqp://{user}:{passwords[user]}@rabbitmq:5672/"
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
