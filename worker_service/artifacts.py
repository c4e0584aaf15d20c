"""Publishes a trainer's artifact, so that a reader finds all of it or nothing.

A local artifact is copied next to its place and renamed. An object store has no rename, so there ``manifest.json`` goes
last: without it there is no artifact. A file with the attempt's fingerprint goes along: when the same attempt was
started twice (a task delivered again after a lost connection), the first whole artifact stays.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import fsspec

from hrnn_tuner.domain.uris import is_allowed
from hrnn_tuner.failpoints import failpoint

MANIFEST = "manifest.json"
FINGERPRINT = ".attempt"
_ATTEMPT = re.compile(r"attempt-[1-9][0-9]*")


def local_path(uri: str) -> Path | None:
    """The path of a local URI, None for an object store."""
    if uri.startswith("file://"):
        return Path(uri.removeprefix("file://"))
    return None if "://" in uri else Path(uri)


def partial_path(target: Path, tag: str) -> Path:
    """Where a local artifact grows; ``tag`` is different for each worker."""
    return target.parent / f".{target.name}.{tag}.partial"


def discard_partial(uri: str, tag: str) -> None:
    """Removes what a killed trainer may have left of an unfinished local upload."""
    target = local_path(uri)
    if target is not None:
        shutil.rmtree(partial_path(target, tag), ignore_errors=True)


def publish(source: Path, uri: str, *, fingerprint: str, tag: str) -> None:
    """Copies a directory to its URI.

    Args:
        source: The trainer's local artifact directory.
        uri: Where it goes, a local folder or an fsspec URI.
        fingerprint: Identity of the attempt, see `AttemptKey.fingerprint`.
        tag: Distinguishes this worker's unfinished uploads.

    Raises:
        OSError: When it cannot be written; what is there is then no artifact.
    """
    (source / FINGERPRINT).write_text(fingerprint, encoding="ascii")
    target = local_path(uri)
    if target is not None:
        _publish_local(source, target, fingerprint, tag)
    else:
        _publish_objects(source, uri, fingerprint)


def removable(uri: str, root: str, writable: tuple[str, ...]) -> bool:
    """Whether a location is the model of an attempt of a tuning job: a removal is never of anything else.

    Args:
        uri: The location: ``<root>/<training job>/attempt-<n>``.
        root: The folder with all models of the tuning job.
        writable: The operator's prefixes.
    """
    parts = uri.removeprefix(f"{root}/").split("/")
    if len(parts) != 2 or parts[0] in {"", ".", ".."} or not _ATTEMPT.fullmatch(parts[1]):
        return False
    place, base = local_path(uri), local_path(root)
    if place is not None and base is not None and place.resolve() != base.resolve().joinpath(*parts):
        return False  # through a link, to where something else may be
    return is_allowed(uri, [root]) and is_allowed(root, writable)


def _publish_local(source: Path, target: Path, fingerprint: str, tag: str) -> None:
    marker = target / FINGERPRINT
    if marker.is_file() and marker.read_text(encoding="ascii") == fingerprint:
        return
    partial = partial_path(target, tag)
    shutil.rmtree(partial, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        shutil.copytree(source, partial)
        failpoint("upload.copied")
        if target.exists():  # left by something else under this name: no directory can be renamed over it
            shutil.rmtree(target)
        partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _files(source: Path) -> Sequence[Path]:
    """Every file below a directory, the manifest last."""
    found = [Path(folder) / name for folder, _, names in os.walk(source) for name in names]
    return sorted(found, key=lambda path: (path == source / MANIFEST, path))


def _publish_objects(source: Path, uri: str, fingerprint: str) -> None:
    # `url_to_fs` and not `open`: one connection, and no wildcard or compression magic on the way.
    store: Any
    store, root = fsspec.core.url_to_fs(uri)
    root = root.rstrip("/")
    if store.exists(f"{root}/{MANIFEST}"):
        if store.exists(f"{root}/{FINGERPRINT}") and store.cat_file(f"{root}/{FINGERPRINT}") == fingerprint.encode():
            return
        store.rm(root, recursive=True)
    for path in _files(source):
        store.put_file(str(path), f"{root}/{path.relative_to(source).as_posix()}")
