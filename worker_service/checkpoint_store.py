"""Checkpoints in the object store: a folder each, with a digest that shows whether it came back as it went.

Only a checkpoint that was uploaded completely is ever reported, so a reader needs no marker for a whole one.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import fsspec

from hrnn_tuner.domain.checkpoint import Checkpoint
from hrnn_tuner.domain.uris import is_allowed
from worker_service.artifacts import local_path

#: Last part of the location of a training job's checkpoints; nothing else is ever removed.
FOLDER = "checkpoints"
_BLOCK = 1 << 20


class UnusableCheckpoint(Exception):
    """A checkpoint is missing, or not what was uploaded; the message says which."""


def digest_of(folder: Path) -> str:
    """``sha256:`` and the hex digest over names, sizes and contents of all files, in order of their names."""
    digest = hashlib.sha256()
    for path in _files(folder):
        name = path.relative_to(folder).as_posix().encode()
        digest.update(b"%d:%s%d:" % (len(name), name, path.stat().st_size))
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    return f"sha256:{digest.hexdigest()}"


def upload(folder: Path, step: int, uri: str) -> Checkpoint:
    """Copies a local checkpoint to a URI where nothing is yet.

    Raises:
        OSError: And whatever else a store raises; what is there is then to be removed.
    """
    digest = digest_of(folder)
    target = local_path(uri)
    if target is not None:
        shutil.copytree(folder, target, dirs_exist_ok=True)
        return Checkpoint(step, uri, digest)
    store, root = _open(uri)
    for path in _files(folder):
        store.put_file(str(path), f"{root}/{path.relative_to(folder).as_posix()}")
    return Checkpoint(step, uri, digest)


def download(checkpoint: Checkpoint, folder: Path) -> None:
    """Copies a checkpoint into an empty local folder and checks its digest.

    Raises:
        UnusableCheckpoint: When it is missing or its content is another; the folder is then empty.
        OSError: And whatever else a store raises, when it does not answer.
    """
    try:
        if not _copy(checkpoint.uri, folder):
            raise UnusableCheckpoint(f"checkpoint {checkpoint.uri} is missing")
        found = digest_of(folder)
        if found != checkpoint.digest:
            raise UnusableCheckpoint(
                f"checkpoint {checkpoint.uri} is corrupt: its digest is {found}, recorded was {checkpoint.digest}"
            )
    except BaseException:
        shutil.rmtree(folder)
        folder.mkdir()
        raise


def remove(uri: str) -> None:
    """Removes everything below a URI; nothing there is fine."""
    target = local_path(uri)
    if target is not None:
        if target.exists():
            shutil.rmtree(target)
        return
    store, root = _open(uri)
    try:
        store.rm(root, recursive=True)
    except FileNotFoundError:
        return


def removable(uri: str, writable: tuple[str, ...]) -> bool:
    """Whether a location can be the checkpoint folder of a training job: a removal is never of anything else."""
    return uri.rstrip("/").rpartition("/")[2] == FOLDER and is_allowed(uri, writable)


def _open(uri: str) -> tuple[Any, str]:
    """The store of a URI and the path in it."""
    store: Any
    store, root = fsspec.core.url_to_fs(uri)
    return store, root.rstrip("/")


def _files(folder: Path) -> Iterator[Path]:
    """Every file below a folder, in order of their names."""
    return iter(sorted(path for path in folder.rglob("*") if path.is_file()))


def _copy(uri: str, folder: Path) -> bool:
    """Copies what is below a URI; False when nothing is."""
    source = local_path(uri)
    if source is not None:
        if not source.is_dir():
            return False
        shutil.copytree(source, folder, dirs_exist_ok=True)
        return True
    store, root = _open(uri)
    names = [name.removeprefix(f"{root}/") for name in store.find(root)]
    for name in names:
        if ".." in PurePosixPath(name).parts:  # a key may be named so; a file must not leave the folder
            raise UnusableCheckpoint(f"checkpoint {uri} has a file named {name!r}")
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        store.get_file(f"{root}/{name}", str(folder / name))
    return bool(names)
