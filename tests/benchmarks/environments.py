"""Virtual environments for what needs other packages, or other versions, than this project."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

#: The arguments of each `pip install`; they run one after the other.
Installs = Sequence[Sequence[str]]


def is_ready(folder: Path, content: str) -> bool:
    """Whether an environment is there and was made from this content."""
    ready = folder / ".ready"
    return ready.exists() and ready.read_text() == _stamp(content)


def interpreter(folder: Path) -> Path:
    """The interpreter of an environment."""
    return folder / "bin" / "python"


def made_environment(title: str, folder: Path, installs: Installs, content: str) -> Path:
    """Makes an environment, unless it is there, and returns its interpreter.

    Args:
        title: Is printed when something is installed.
        folder: Where it lies.
        installs: What to install.
        content: Text that changes whenever the environment has to be made anew.

    Raises:
        subprocess.CalledProcessError: When an installation fails; pip has said why.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        # Two commands at a time would clear what the other installs.
        fcntl.flock(lock, fcntl.LOCK_EX)
        _make(title, folder, installs, content)
    return interpreter(folder)


def _make(title: str, folder: Path, installs: Installs, content: str) -> None:
    """Makes an environment, unless it is there."""
    if not is_ready(folder, content):
        print(f"installing {title} into {folder}, once", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        install = [str(interpreter(folder)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        for arguments in installs:
            subprocess.run([*install, *arguments], check=True)
        (folder / ".ready").write_text(_stamp(content))


def _stamp(content: str) -> str:
    """What marks a finished environment; another Python needs another one."""
    return f"{sys.version}\n{content}"
