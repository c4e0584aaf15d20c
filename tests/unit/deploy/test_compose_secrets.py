from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

SCRIPT = Path(__file__).parents[3] / "deploy" / "compose_secrets.py"


def run(folder: Path) -> None:
    subprocess.run([sys.executable, str(SCRIPT), str(folder)], check=True, timeout=60, cwd=SCRIPT.parents[1])


def contents(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_the_passwords_of_the_first_start_stay_and_lost_files_come_back(tmp_path: Path) -> None:
    run(tmp_path)
    first = contents(tmp_path)
    (tmp_path / "api" / "hrnn_tuner_broker_url").unlink()
    run(tmp_path)
    again = contents(tmp_path)
    del first["rabbitmq/definitions.json"], again["rabbitmq/definitions.json"]  # a hash has fresh salt
    assert again == first


def test_each_service_has_a_user_of_its_own_whose_password_the_broker_knows_hashed(tmp_path: Path) -> None:
    run(tmp_path)
    users = {user["name"]: user for user in json.loads((tmp_path / "rabbitmq/definitions.json").read_text())["users"]}
    passwords = set()
    for service in ("api", "scheduler", "worker"):
        url = urlsplit((tmp_path / service / "hrnn_tuner_broker_url").read_text())
        assert url.username == f"hrnn-{service}"
        assert url.password is not None
        passwords.add(url.password)
        known = base64.b64decode(users[url.username]["password_hash"])
        assert known[4:] == hashlib.sha256(known[:4] + url.password.encode()).digest()
    assert len(passwords) == 3


def test_only_services_with_the_database_know_its_password(tmp_path: Path) -> None:
    run(tmp_path)
    password = (tmp_path / "postgres/password").read_text()
    knowing = {path for path, text in contents(tmp_path).items() if password in text}
    databases = {f"{service}/hrnn_tuner_database_url" for service in ("api", "scheduler")}
    assert knowing == {"postgres/password", "all/passwords.json", *databases}


def test_two_stacks_have_different_passwords(tmp_path: Path) -> None:
    run(tmp_path / "one")
    run(tmp_path / "two")
    one, two = (contents(tmp_path / name)["postgres/password"] for name in ("one", "two"))
    assert one != two
    assert len(one) >= 32
