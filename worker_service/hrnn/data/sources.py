"""Finds the files behind a data URI and tells whether they changed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import fsspec
from fsspec.implementations.local import LocalFileSystem

from hrnn_tuner.algorithms.contract import DataError

SUFFIXES = (".csv", ".csv.gz", ".parquet")


@dataclass(frozen=True)
class Source:
    """The files of one data URI.

    Attributes:
        uri: The URI as given, for messages.
        filesystem: The fsspec file system that opens the paths.
        paths: The files, in the order in which their rows count.
        stamp: Hex digest of the URI and of what the file system tells about each file (size, change time, ETag);
            equal stamps mean unchanged files, without reading them.
    """

    uri: str
    filesystem: Any
    paths: tuple[str, ...]
    stamp: str


def _supported(path: str) -> bool:
    """Whether a file of a folder is data: a known suffix, and not a marker such as ``_SUCCESS`` or ``.crc``."""
    return path.lower().endswith(SUFFIXES) and not path.rsplit("/", 1)[-1].startswith(("_", "."))


def _paths(filesystem: Any, root: str, uri: str, kind: str) -> tuple[str, ...]:
    """The files at ``root``, which may be one file or a folder."""
    if not filesystem.isdir(root):
        if not filesystem.exists(root):
            raise DataError(f"{kind} data {uri} do not exist")
        if not root.lower().endswith(SUFFIXES):
            raise DataError(f"{kind} data {uri} have an unknown format; allowed: {', '.join(SUFFIXES)}, or a folder")
        return (root,)
    found = tuple(sorted(path for path in filesystem.find(root) if _supported(path)))
    if isinstance(filesystem, LocalFileSystem):
        _refuse_escapes(root, found)
    if not found:
        raise DataError(f"folder {uri} holds no {kind} data; allowed files: {', '.join(SUFFIXES)}")
    return found


def _refuse_escapes(root: str, paths: tuple[str, ...]) -> None:
    """Refuses a folder with a link that leads out of it: only what lies below an allowed prefix is ever read."""
    folder = Path(root).resolve()
    for path in paths:
        if not Path(path).resolve().is_relative_to(folder):
            raise DataError(f"{path} is a link that leads out of its data folder; allowed: files of the folder itself")


def find_source(uri: str, kind: str) -> Source:
    """Looks up a plain path, ``file://`` or any other fsspec URI; reads no data.

    Args:
        uri: Where the data are.
        kind: What they are, for messages: the name of their channel.

    Raises:
        DataError: When nothing is there, it may not be read, or the scheme or format is unknown.
    """
    try:
        filesystem, root = fsspec.core.url_to_fs(uri)
        filesystem.invalidate_cache()  # a long-lived process must see files that changed since the last job
        paths = _paths(filesystem, root, uri, kind)
        digest = hashlib.sha256(uri.encode())
        for path in paths:
            digest.update(f"\0{path}\0{cast(str, filesystem.ukey(path))}".encode())
    except (ImportError, ValueError) as error:
        raise DataError(f"{kind} data {uri} cannot be opened: {error}") from error
    except PermissionError as error:
        raise DataError(f"{kind} data {uri} may not be read: permission denied") from error
    except FileNotFoundError as error:
        raise DataError(f"{kind} data {uri} do not exist") from error
    return Source(uri, filesystem, paths, digest.hexdigest())
