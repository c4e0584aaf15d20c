"""Prepared data from the nearest place that has them: this process, the host's prepared files, or their source."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

from hrnn_tuner.domain.data_channel import DataChannel
from worker_service.hrnn.data.lru import LruCache
from worker_service.hrnn.data.preparation import PREPARATION_VERSION, Interactions, prepare
from worker_service.hrnn.data.prepared_files import Prepared, PreparedFiles
from worker_service.hrnn.data.reading import read_interactions
from worker_service.hrnn.data.sources import Source, find_source
from worker_service.hrnn.data.vocabulary import Vocabulary

Content = TypeVar("Content")
_log = logging.getLogger(__name__)
_in_process: LruCache[Interactions] = LruCache(4)


def load_interactions(channel: DataChannel, cache_dir: Path | None) -> Interactions:
    """The interactions of a channel, from this process, from ``cache_dir``, or from the source, in this order.

    Args:
        channel: Where they are and how to read them.
        cache_dir: Where prepared data are kept; None keeps them in this process only.

    Raises:
        DataError: When the source is missing or malformed.
    """
    source = find_source(channel.uri, "interactions")

    def make() -> Prepared:
        made, _ = prepare(read_interactions(source, channel))
        _log.info("prepared %d interactions of %s as %s", len(made.item), channel.uri, made.fingerprint)
        return _prepared(made)

    key = source_key(source, channel, f"interactions-{PREPARATION_VERSION}")
    return nearest(key, cache_dir, _in_process, make, _interactions)


def forget_in_process() -> None:
    """Drops what this process keeps; the files stay."""
    _in_process.clear()


def nearest(
    key: str,
    cache_dir: Path | None,
    in_process: LruCache[Content],
    make: Callable[[], Prepared],
    restore: Callable[[Prepared], Content],
) -> Content:
    """Prepared data from this process, from ``cache_dir``, or made anew, in this order.

    Args:
        key: See `source_key`.
        cache_dir: Where prepared data are kept; None keeps them in this process only.
        in_process: What this process keeps of this kind.
        make: Prepares them from their source.
        restore: Makes them of their prepared form.
    """
    known = in_process.get(key)
    if known is None:
        files = None if cache_dir is None else PreparedFiles(cache_dir / "hrnn")
        found = None if files is None else files.find(key)
        if found is None:
            found = make() if files is None else files.keep(key, make())
        known = restore(found)
        in_process.put(key, known)
    return known


def source_key(source: Source, channel: DataChannel, *purpose: str) -> str:
    """Hex digest of unchanged files, of how they are read, and of what is made of them."""
    parts = [source.stamp, asdict(channel), *purpose]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _prepared(interactions: Interactions) -> Prepared:
    """Interactions as arrays to keep; how many rows were dropped is the source's: others may have the same content."""
    return Prepared(
        fingerprint=interactions.fingerprint,
        arrays={
            "user_bytes": interactions.users.data,
            "user_offsets": interactions.users.offsets,
            "item_bytes": interactions.items.data,
            "item_offsets": interactions.items.offsets,
            "offsets": interactions.offsets,
            "item": interactions.item,
            "timestamp": interactions.timestamp,
        },
        source_facts={"duplicates": interactions.duplicates, "left_out": interactions.left_out},
    )


def _interactions(prepared: Prepared) -> Interactions:
    """Inverse of `_prepared`."""
    arrays = prepared.arrays
    return Interactions(
        fingerprint=prepared.fingerprint,
        users=Vocabulary(arrays["user_bytes"], arrays["user_offsets"]),
        items=Vocabulary(arrays["item_bytes"], arrays["item_offsets"]),
        offsets=arrays["offsets"],
        item=arrays["item"],
        timestamp=arrays["timestamp"],
        duplicates=prepared.source_facts["duplicates"],
        left_out=prepared.source_facts["left_out"],
    )
