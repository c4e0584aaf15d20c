"""Data, artifacts and the file systems of this machine."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import fsspec

from hrnn_tuner.doctor.contract import Finding, ok, problem, warning
from hrnn_tuner.settings import Settings

_GIB = 1 << 30
_FEW, _SCARCE = 10 * _GIB, 1 * _GIB


def no_prefixes() -> Sequence[Finding]:
    """Says that nothing may be read."""
    return [
        warning("no data may be read", "set HRNN_TUNER_DATA_PREFIXES to the folders and s3:// prefixes of the data")
    ]


def check_data(prefix: str) -> Sequence[Finding]:
    """Whether a prefix can be listed.

    Raises:
        OSError: And whatever else a store raises when it cannot.
    """
    store, root = _open(prefix)
    entries = store.ls(root, detail=False)
    return [ok(f"{prefix} is readable, {len(entries)} entries")]


def check_artifacts(url: str) -> Sequence[Finding]:
    """Whether something can be written, read back and removed.

    Raises:
        OSError: And whatever else a store raises when it cannot.
    """
    if not url:
        advice = "set HRNN_TUNER_ARTIFACTS_URL, or let every request say its output_uri"
        return [warning("there is no place for the models of requests that name none", advice)]
    store, root = _open(url)
    probe, content = f"{root.rstrip('/')}/.doctor-{secrets.token_hex(8)}", secrets.token_bytes(64)
    if _local(url) is not None and not Path(root).is_dir():
        return [problem(f"{url} is no folder", "create it, with this user as its owner")]
    store.pipe_file(probe, content)
    try:
        same = store.cat_file(probe) == content
    finally:
        store.rm_file(probe)
    if not same:
        return [problem(f"{url} gives back other bytes than were written", "see what the store, or a proxy, does")]
    return [ok(f"{url} is writable and readable")]


def check_disks(settings: Settings) -> Sequence[Finding]:
    """How much room there is where this machine writes."""
    places = {"prepared data": settings.cache_dir, "artifacts": _local(settings.artifacts_url)}
    if settings.database_url.startswith("sqlite:///"):
        places["database"] = Path(settings.database_url.removeprefix("sqlite:///")).parent
    findings = []
    for use, place in places.items():
        if place is None:
            continue
        path = place.absolute()
        while not path.exists():
            path = path.parent
        free = shutil.disk_usage(path).free
        text = f"{free / _GIB:.1f} GiB free for {use} ({path})"
        if not os.access(path, os.W_OK):
            findings.append(problem(f"{use}: {path} cannot be written", "make this user its owner"))
        elif free < _SCARCE:
            findings.append(problem(text, "make room: training jobs and the database fail when it is full"))
        else:
            findings.append(warning(text, "make room before it is full") if free < _FEW else ok(text))
    return findings


def _open(url: str) -> tuple[Any, str]:
    """The store of a URL and the path in it."""
    store, root = fsspec.core.url_to_fs(url)
    return store, root


def _local(url: str) -> Path | None:
    """The path of a local URL; None for another store, or for none."""
    if url.startswith("file://"):
        return Path(url.removeprefix("file://"))
    return None if "://" in url or not url else Path(url)
