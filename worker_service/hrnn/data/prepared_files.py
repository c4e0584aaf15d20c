"""Prepared data on disk, written once per content and memory-mapped by every process of the host.

Layout below the root: ``<fingerprint>/`` holds the arrays and ``facts.json``; ``sources/<key>`` names the fingerprint
of what was made from unchanged source files, so that they are not read again. Both appear by one rename: a reader sees
all of an entry or none of it, and of two writers at the same time either may win, for they write the same.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_FACTS = "facts.json"
_WRITING = ".writing-"
#: Nothing is written for so long; what is older was left by a process that was killed.
_LEFTOVER_AGE_S = 3600
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Prepared:
    """Arrays that were made from source files.

    Attributes:
        fingerprint: Hex digest of the content; equal for equal content, wherever it came from.
        arrays: The content, by name.
        facts: JSON values that belong to the content.
        source_facts: JSON values about the source that the content does not tell.
    """

    fingerprint: str
    arrays: Mapping[str, NDArray[Any]]
    facts: Mapping[str, Any] = field(default_factory=dict)
    source_facts: Mapping[str, Any] = field(default_factory=dict)


class PreparedFiles:
    """The prepared data below one root; safe for threads and processes.

    Args:
        root: A folder that is made when something is kept.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def find(self, key: str) -> Prepared | None:
        """Opens what was kept under a key; None when there is nothing, or it is damaged."""
        pointer = self._root / "sources" / key
        try:
            document = json.loads(pointer.read_text())
            return self._open(document["fingerprint"], document["source_facts"])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            _log.warning("%s is damaged and is made anew: %s", pointer, error)
            return None

    def keep(self, key: str, prepared: Prepared) -> Prepared:
        """Writes the content unless it is there already, and returns its memory-mapped form."""
        (self._root / "sources").mkdir(parents=True, exist_ok=True)
        self._sweep()
        if self._open(prepared.fingerprint, {}) is None:
            temporary = Path(tempfile.mkdtemp(prefix=_WRITING, dir=self._root))
            try:
                _write(temporary, prepared)
                self._publish(temporary, prepared.fingerprint)
            finally:
                shutil.rmtree(temporary, ignore_errors=True)
        document = {"fingerprint": prepared.fingerprint, "source_facts": dict(prepared.source_facts)}
        with tempfile.NamedTemporaryFile("w", dir=self._root, prefix=_WRITING, delete=False) as file:
            json.dump(document, file)
        written = Path(file.name)
        written.chmod(0o644)  # temporary files are private; the cache is shared by the host's trainers
        written.replace(self._root / "sources" / key)
        return self._open(prepared.fingerprint, prepared.source_facts) or prepared

    def _open(self, fingerprint: str, source_facts: Mapping[str, Any]) -> Prepared | None:
        """Memory-maps one entry; None when it is missing or damaged."""
        folder = self._root / fingerprint
        try:
            document = json.loads((folder / _FACTS).read_text())
            names = document["shapes"]
            arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in names}
            whole = names == {name: list(array.shape) for name, array in arrays.items()}
            facts = document["facts"]
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            _log.warning("prepared data in %s are damaged and are made anew: %s", folder, error)
            return None
        if not whole:
            _log.warning("prepared data in %s do not have the sizes written down and are made anew", folder)
            return None
        return Prepared(fingerprint, arrays, facts, source_facts)

    def _publish(self, temporary: Path, fingerprint: str) -> None:
        """Renames a finished folder into place; when another process was first, its entry stays."""
        target = self._root / fingerprint
        try:
            os.rename(temporary, target)  # noqa: PTH104 - Path.rename would hide which call is the atomic one
        except OSError:
            if self._open(fingerprint, {}) is not None:
                return
            shutil.rmtree(target, ignore_errors=True)  # damaged: make room and try once more
            temporary.rename(target)

    def _sweep(self) -> None:
        """Removes what killed processes left half-written."""
        for leftover in self._root.glob(f"{_WRITING}*"):
            try:
                if time.time() - _last_change(leftover) < _LEFTOVER_AGE_S:
                    continue
                if leftover.is_dir():
                    shutil.rmtree(leftover)
                else:
                    leftover.unlink()
            except OSError as error:  # another process sweeps too, or may not: nothing depends on it
                _log.info("%s is not swept: %s", leftover, error)


def _last_change(path: Path) -> float:
    """When a file, or a folder or anything directly in it, last changed, in Unix seconds."""
    inside = path.iterdir() if path.is_dir() else ()
    return float(max(entry.stat().st_mtime for entry in (path, *inside)))


def _write(folder: Path, prepared: Prepared) -> None:
    """Writes the arrays and, last, the facts about them."""
    for name, array in prepared.arrays.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)
    shapes = {name: list(array.shape) for name, array in prepared.arrays.items()}
    (folder / _FACTS).write_text(json.dumps({"shapes": shapes, "facts": dict(prepared.facts)}))
    folder.chmod(0o755)
