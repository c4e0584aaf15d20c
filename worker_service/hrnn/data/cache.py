"""Prepared interactions on disk, written once per content and memory-mapped by every process of the host.

Layout below ``cache_dir/hrnn``: ``<fingerprint>/`` holds the arrays and ``facts.json``; ``sources/<stamp>`` names the
fingerprint of unchanged source files, so that they are not read again. Both appear by one rename: a reader sees all of
an entry or none of it, and of two writers at the same time either may win, for they write the same.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worker_service.hrnn.data.lru import LruCache
from worker_service.hrnn.data.preparation import PREPARATION_VERSION, Interactions, prepare
from worker_service.hrnn.data.reading import read_interactions
from worker_service.hrnn.data.sources import find_source
from worker_service.hrnn.data.vocabulary import Vocabulary

_ARRAYS = ("user_bytes", "user_offsets", "item_bytes", "item_offsets", "offsets", "item", "timestamp")
_FACTS = "facts.json"
_log = logging.getLogger(__name__)
_in_process: LruCache[Interactions] = LruCache(4)


def load_interactions(uri: str, cache_dir: Path | None) -> Interactions:
    """The interactions at a URI, from this process, from ``cache_dir``, or from the source, in this order.

    Args:
        uri: What `find_source` accepts.
        cache_dir: Where prepared data are kept; None keeps them in this process only.

    Raises:
        DataError: When the source is missing or malformed.
    """
    source = find_source(uri)
    known = _in_process.get(source.stamp)
    if known is not None:
        return known
    root = None if cache_dir is None else cache_dir / "hrnn"
    found = None if root is None else _open_by_stamp(root, source.stamp)
    if found is None:
        found = prepare(read_interactions(source))
        _log.info("prepared %d interactions of %s as %s", len(found.item), uri, found.fingerprint)
        if root is not None:
            found = _store(root, source.stamp, found)
    _in_process.put(source.stamp, found)
    return found


def forget_in_process() -> None:
    """Drops what this process keeps; the files stay."""
    _in_process.clear()


def _open_by_stamp(root: Path, stamp: str) -> Interactions | None:
    """Opens the prepared form of unchanged source files, None when there is none."""
    try:
        fingerprint = (root / "sources" / f"{PREPARATION_VERSION}-{stamp}").read_text()
    except FileNotFoundError:
        return None
    return _open(root / fingerprint)


def _open(folder: Path) -> Interactions | None:
    """Memory-maps one entry; None when it is missing or damaged."""
    try:
        facts = json.loads((folder / _FACTS).read_text())
        arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in _ARRAYS}
        whole = facts["shapes"] == {name: list(array.shape) for name, array in arrays.items()}
        duplicates = int(facts["duplicates"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError) as error:
        _log.warning("prepared data in %s are damaged and are made anew: %s", folder, error)
        return None
    if not whole:
        _log.warning("prepared data in %s do not have the sizes written down and are made anew", folder)
        return None
    return Interactions(
        fingerprint=folder.name,
        users=Vocabulary(arrays["user_bytes"], arrays["user_offsets"]),
        items=Vocabulary(arrays["item_bytes"], arrays["item_offsets"]),
        offsets=arrays["offsets"],
        item=arrays["item"],
        timestamp=arrays["timestamp"],
        duplicates=duplicates,
    )


def _store(root: Path, stamp: str, interactions: Interactions) -> Interactions:
    """Writes an entry unless it exists, and returns its memory-mapped form."""
    (root / "sources").mkdir(parents=True, exist_ok=True)
    target = root / interactions.fingerprint
    if _open(target) is None:
        temporary = Path(tempfile.mkdtemp(prefix=".writing-", dir=root))
        try:
            _write(temporary, interactions)
            _publish(temporary, target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    pointer = root / "sources" / f"{PREPARATION_VERSION}-{stamp}"
    with tempfile.NamedTemporaryFile("w", dir=root, prefix=".writing-", delete=False) as file:
        file.write(interactions.fingerprint)
    Path(file.name).replace(pointer)
    return _open(target) or interactions


def _write(folder: Path, interactions: Interactions) -> None:
    """Writes the arrays and, last, the facts about them."""
    arrays: dict[str, NDArray[Any]] = {
        "user_bytes": interactions.users.data,
        "user_offsets": interactions.users.offsets,
        "item_bytes": interactions.items.data,
        "item_offsets": interactions.items.offsets,
        "offsets": interactions.offsets,
        "item": interactions.item,
        "timestamp": interactions.timestamp,
    }
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)
    shapes = {name: list(array.shape) for name, array in arrays.items()}
    (folder / _FACTS).write_text(json.dumps({"shapes": shapes, "duplicates": interactions.duplicates}))
    folder.chmod(0o755)  # mkdtemp makes private folders; the cache is shared by the host's trainers


def _publish(temporary: Path, target: Path) -> None:
    """Renames a finished folder into place; when another process was first, its entry stays."""
    try:
        os.rename(temporary, target)  # noqa: PTH104 - Path.rename would hide which call is the atomic one
    except OSError:
        if _open(target) is not None:
            return
        shutil.rmtree(target, ignore_errors=True)  # damaged: make room and try once more
        temporary.rename(target)
