"""Local scratch directories of a worker, removed by its successor when it was killed."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path

_PREFIX = "hrnn-tuner-worker-"
_LOCK = "lock"


class Scratch:
    """A directory that is locked for as long as this process lives."""

    def __init__(self, root: Path | None = None) -> None:
        """Takes the parent directory, the system's temporary directory by default; makes nothing yet."""
        self._root = root or Path(tempfile.gettempdir())
        self._folder: Path | None = None
        self._lock: int | None = None

    def open(self) -> None:
        """Removes what killed workers left, then makes this one's directory."""
        self._sweep()
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=self._root))
        draft = folder / f"{_LOCK}.new"
        self._lock = os.open(draft, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        draft.rename(folder / _LOCK)  # a sweep of another worker never sees it unlocked
        self._folder = folder

    def new(self) -> Path:
        """An empty directory; whoever asked for it removes it."""
        assert self._folder is not None, "not open"
        return Path(tempfile.mkdtemp(dir=self._folder))

    def close(self) -> None:
        """Removes everything."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _sweep(self) -> None:
        for lock in self._root.glob(f"{_PREFIX}*/{_LOCK}"):
            with contextlib.suppress(OSError):  # another user's, or removed by another sweep
                descriptor = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(lock.parent, ignore_errors=True)
                finally:
                    os.close(descriptor)
