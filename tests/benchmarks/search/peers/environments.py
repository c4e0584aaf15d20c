"""The virtual environments of the peers."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.environments import interpreter, is_ready, made_environment
from tests.benchmarks.paths import cache_of

_HERE = Path(__file__).parent
_CACHE = cache_of("bench-search")
TOOLS = ("optuna", "ax")


def requirements(tool: str) -> Path:
    """The versions of a tool and of all that it needs."""
    return _HERE / f"{tool}-requirements.txt"


def script(tool: str) -> Path:
    """What serves the tool."""
    return _HERE / f"{tool}_peer.py"


def python_of(tool: str) -> Path:
    """The interpreter of a tool's environment."""
    return interpreter(_folder(tool))


def make_environment(tool: str) -> None:
    """Makes the environment of a tool, unless it is there.

    Raises:
        subprocess.CalledProcessError: When an installation fails; pip has said why.
    """
    content = requirements(tool).read_text()
    made_environment(tool, _folder(tool), (("-r", str(requirements(tool))),), content)


def has_environment(tool: str) -> bool:
    """Whether the environment of a tool is there and up to date."""
    return is_ready(_folder(tool), requirements(tool).read_text())


def _folder(tool: str) -> Path:
    """Where the environment lies."""
    return _CACHE / f"{tool}-venv"
