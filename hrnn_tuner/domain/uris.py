"""Which locations a job may read and write: URIs below an operator's allowed prefixes."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

#: fsspec knows chained URLs (``zip::s3://…``), aliases (``file:/x``) and wildcards, all of which could lead outside a
#: prefix; a location is therefore one absolute path or one ``scheme://`` URI without any of them.
_URI = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?P<path>.*)", re.DOTALL)
_FORBIDDEN = re.compile(r"[*?\[\x00-\x1f]|::")


def _components(path: str) -> list[str]:
    return [part for part in path.split("/") if part]


def _split(uri: str) -> tuple[str, str]:
    """Splits into scheme and path; a plain path has the scheme ``file``."""
    match = _URI.fullmatch(uri)
    return (match["scheme"], match["path"]) if match else ("file", uri)


def _local(path: str) -> list[str]:
    """The components of a local path after symbolic links and ``..`` are resolved; it need not exist."""
    return _components(os.path.realpath(path))


def _readings(scheme: str, path: str) -> list[list[str]]:
    """Every way in which a location may be understood, as components; none when it is no proper location."""
    if scheme == "file":
        if not path.startswith("/"):
            return []
        # The kernel follows a link before it steps up, some libraries tidy the text first: both must be inside.
        return [_local(path), _local(os.path.normpath(path))]
    parts = path.split("/")
    return [] if not parts[0] or ".." in parts or "." in parts else [_components(path)]


def _root(scheme: str, prefix: str) -> list[str] | None:
    """The components of a prefix; None when it allows nothing in this scheme."""
    prefix_scheme, path = _split(prefix)
    if not path or prefix_scheme != scheme:
        return None
    return _local(path) if scheme == "file" else _components(path)


def is_allowed(uri: str, prefixes: Sequence[str]) -> bool:
    """Whether a location lies at or below one of the prefixes.

    Whole path components are compared: ``/data`` allows ``/data/x`` and not ``/database``. Local paths are compared
    after symbolic links and ``..`` are resolved on both sides. In an object store ``..`` is no step up but part of a
    key, and readers disagree about it, so it is never allowed there; nor are wildcards and chained URLs anywhere.

    Args:
        uri: An absolute local path, ``file://`` with one, or another ``scheme://authority/path``.
        prefixes: The same forms; a local prefix may be relative to the working directory. Empty strings allow nothing.
    """
    if _FORBIDDEN.search(uri):
        return False
    scheme, path = _split(uri)
    readings = _readings(scheme, path)
    roots = [root for root in (_root(scheme, prefix) for prefix in prefixes) if root is not None]
    return bool(readings) and all(any(wanted[: len(root)] == root for root in roots) for wanted in readings)
