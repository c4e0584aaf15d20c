"""The Node.js client of the end-to-end tests, installed once per checkout."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCE = REPOSITORY / "tests" / "e2e" / "node"
CACHE = REPOSITORY / ".cache" / "node-client"
INSTALL_TIMEOUT_S = 100.0  # below pytest's own limit for one test


def _installed(fingerprint: str) -> bool:
    """Whether the packages of this lock file are installed."""
    stamp = CACHE / "installed"
    return stamp.exists() and stamp.read_text() == fingerprint


@pytest.fixture(scope="session")
def node_client_dir() -> Path:
    """A folder with ``client.js`` and the packages it needs: run ``node client.js ADDRESS SPEC PROTOS`` in it."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.fail("Node.js or npm is not installed: `make test` (or `make services`) installs them", pytrace=False)
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs in one checkout install one after the other
        for name in ("package.json", "package-lock.json", "client.js"):
            shutil.copyfile(SOURCE / name, CACHE / name)
        fingerprint = hashlib.sha256((CACHE / "package-lock.json").read_bytes()).hexdigest()
        if not _installed(fingerprint):
            done = subprocess.run(
                ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"],
                cwd=CACHE,
                env=os.environ | {"CI": "true"},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=INSTALL_TIMEOUT_S,
                check=False,
            )
            if done.returncode != 0:
                pytest.fail(f"npm ci failed:\n{done.stdout}\n{done.stderr}", pytrace=False)
            (CACHE / "installed").write_text(fingerprint)
    return CACHE
