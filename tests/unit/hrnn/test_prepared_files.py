"""Prepared data on disk, with several writers, damage and what killed processes leave."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from worker_service.hrnn.data import prepared_files
from worker_service.hrnn.data.prepared_files import Prepared, PreparedFiles

CONTENT = Prepared(
    fingerprint="f1",
    arrays={"numbers": np.arange(5), "nothing": np.zeros((3, 0), np.float32)},
    facts={"kind": "test"},
    source_facts={"rows": 7},
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "root"


@pytest.fixture
def files(root: Path) -> PreparedFiles:
    return PreparedFiles(root)


def test_what_was_kept_is_found_again_memory_mapped(files: PreparedFiles) -> None:
    files.keep("key", CONTENT)
    found = files.find("key")
    assert found is not None
    assert isinstance(found.arrays["numbers"], np.memmap)
    assert found.arrays["numbers"].tolist() == [0, 1, 2, 3, 4]
    assert found.arrays["nothing"].shape == (3, 0)
    assert (found.fingerprint, found.facts, found.source_facts) == ("f1", {"kind": "test"}, {"rows": 7})


def test_another_key_finds_nothing(files: PreparedFiles) -> None:
    files.keep("key", CONTENT)
    assert files.find("other") is None


def test_two_sources_of_one_content_share_it_and_keep_their_own_facts(files: PreparedFiles, root: Path) -> None:
    files.keep("key", CONTENT)
    files.keep("other", Prepared("f1", CONTENT.arrays, CONTENT.facts, {"rows": 9}))
    assert [item.source_facts for key in ("key", "other") if (item := files.find(key))] == [{"rows": 7}, {"rows": 9}]
    assert sorted(entry.name for entry in root.iterdir()) == ["f1", "sources"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("f1/numbers.npy", b"\x93NUMPY cut short"),
        ("f1/facts.json", b"{}"),
        ("sources/key", b"f1"),
        ("sources/key", b"[]"),
    ],
)
def test_damaged_files_are_written_anew(files: PreparedFiles, root: Path, name: str, content: bytes) -> None:
    files.keep("key", CONTENT)
    (root / name).unlink()
    (root / name).write_bytes(content)
    assert files.find("key") is None
    files.keep("key", CONTENT)
    assert files.find("key") is not None


def test_files_are_readable_for_trainers_of_other_users(files: PreparedFiles, root: Path) -> None:
    files.keep("key", CONTENT)
    assert (root / "f1").stat().st_mode & 0o055 == 0o055
    assert (root / "sources" / "key").stat().st_mode & 0o044 == 0o044


def test_of_two_writers_at_the_same_time_both_get_the_data(
    files: PreparedFiles, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = prepared_files._write

    def write_while_another_finishes(folder: Path, prepared: Prepared) -> None:
        written(folder, prepared)
        shutil.copytree(folder, root / prepared.fingerprint)

    monkeypatch.setattr(prepared_files, "_write", write_while_another_finishes)
    assert isinstance(files.keep("key", CONTENT).arrays["numbers"], np.memmap)
    assert not list(root.glob(".writing-*"))


def test_a_failed_write_leaves_nothing_behind(
    files: PreparedFiles, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(folder: Path, prepared: Prepared) -> None:
        (folder / "half.npy").touch()
        raise OSError("disk full")

    monkeypatch.setattr(prepared_files, "_write", fail)
    with pytest.raises(OSError, match="disk full"):
        files.keep("key", CONTENT)
    assert [entry.name for entry in root.iterdir()] == ["sources"]


def _leave(root: Path, name: str, age_s: float) -> Path:
    """A folder that was last written to so long ago."""
    folder = root / name
    folder.mkdir(parents=True)
    (folder / "half.npy").touch()
    then = time.time() - age_s
    for path in (folder / "half.npy", folder):
        os.utime(path, (then, then))
    return folder


def test_what_killed_writers_left_over_an_hour_ago_is_swept(files: PreparedFiles, root: Path) -> None:
    old, file = _leave(root, ".writing-old", 3700), root / ".writing-file"
    file.touch()
    os.utime(file, (0, 0))
    files.keep("key", CONTENT)
    assert not old.exists()
    assert not file.exists()


def test_what_another_process_may_still_write_stays(files: PreparedFiles, root: Path) -> None:
    young, grown = _leave(root, ".writing-young", 3000), _leave(root, ".writing-grown", 7200)
    os.utime(grown / "half.npy")
    files.keep("key", CONTENT)
    assert young.exists()
    assert grown.exists()
