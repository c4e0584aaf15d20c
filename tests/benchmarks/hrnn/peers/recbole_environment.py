"""The virtual environment of RecBole, which needs an older NumPy than this project."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import torch

from tests.benchmarks.hrnn.datasets import CACHE

VERSION = "1.2.1"
_REQUIREMENTS = Path(__file__).with_name("recbole-requirements.txt")
_FOLDER = CACHE / "recbole-venv"


def recbole_python() -> Path:
    """Makes the environment, unless it is there, and returns its interpreter.

    Raises:
        subprocess.CalledProcessError: When an installation fails; pip has said why.
    """
    python, ready = _FOLDER / "bin" / "python", _FOLDER / ".ready"
    packages = (f"torch=={torch.__version__.partition('+')[0]}", f"recbole=={VERSION}")
    content = "\n".join((sys.version, *packages, _REQUIREMENTS.read_text()))
    if ready.exists() and ready.read_text() == content:
        return python
    print(f"installing RecBole into {_FOLDER}, once", flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", _FOLDER], check=True)
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, packages[0], "-r", str(_REQUIREMENTS)], check=True)
    subprocess.run([*install, "--no-deps", packages[1]], check=True)
    ready.write_text(content)
    return python
