"""The virtual environment of RecBole, which needs an older NumPy than this project."""

from __future__ import annotations

from pathlib import Path

import torch

from tests.benchmarks.environments import made_environment
from tests.benchmarks.hrnn.datasets import CACHE

VERSION = "1.2.1"
_REQUIREMENTS = Path(__file__).with_name("recbole-requirements.txt")


def recbole_python() -> Path:
    """Makes the environment, unless it is there, and returns its interpreter.

    Raises:
        subprocess.CalledProcessError: When an installation fails; pip has said why.
    """
    packages = (f"torch=={torch.__version__.partition('+')[0]}", f"recbole=={VERSION}")
    installs = ((packages[0], "-r", str(_REQUIREMENTS)), ("--no-deps", packages[1]))
    content = "\n".join((*packages, _REQUIREMENTS.read_text()))
    return made_environment("RecBole", CACHE / "recbole-venv", installs, content)
