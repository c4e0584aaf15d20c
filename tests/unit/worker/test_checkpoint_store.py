"""Checkpoints on their way to the object store and back, in a folder and in a store without folders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import fsspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker_service.checkpoint_store import UnusableCheckpoint, digest_of, download, removable, remove, upload

CONTENT = {"state.bin": b"\x00\x01", "parts/a": b"a", "parts/b": b""}


def write(folder: Path, content: dict[str, bytes]) -> Path:
    for name, data in content.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def read(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(params=["folder", "objects"])
def uri(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "folder":
        yield str(tmp_path / "store" / "checkpoints" / "attempt-1" / "epoch-3")
        return
    yield "memory://bucket/checkpoints/attempt-1/epoch-3"
    fsspec.filesystem("memory").rm("/bucket", recursive=True)


def test_a_checkpoint_comes_back_as_it_went(uri: str, tmp_path: Path) -> None:
    sent = upload(write(tmp_path / "here", CONTENT), 3, uri)
    assert (sent.step, sent.uri) == (3, uri)
    (tmp_path / "there").mkdir()
    download(sent, tmp_path / "there")
    assert read(tmp_path / "there") == CONTENT


def test_a_missing_checkpoint_is_said_to_be_missing(uri: str, tmp_path: Path) -> None:
    sent = upload(write(tmp_path / "here", CONTENT), 3, uri)
    (tmp_path / "there").mkdir()
    with pytest.raises(UnusableCheckpoint, match="is missing"):
        download(replace(sent, uri=uri.replace("epoch-3", "epoch-4")), tmp_path / "there")


def test_a_corrupt_checkpoint_is_refused_and_leaves_nothing(uri: str, tmp_path: Path) -> None:
    sent = upload(write(tmp_path / "here", CONTENT), 3, uri)
    with fsspec.open(f"{uri}/state.bin", "wb") as file:
        file.write(b"\x00\x02")
    (tmp_path / "there").mkdir()
    with pytest.raises(UnusableCheckpoint, match="is corrupt"):
        download(sent, tmp_path / "there")
    assert read(tmp_path / "there") == {}


def test_a_removed_checkpoint_is_gone_and_may_be_removed_again(uri: str, tmp_path: Path) -> None:
    sent = upload(write(tmp_path / "here", CONTENT), 3, uri)
    other = upload(tmp_path / "here", 4, uri.replace("epoch-3", "epoch-4"))
    remove(uri)
    remove(uri)
    (tmp_path / "there").mkdir()
    with pytest.raises(UnusableCheckpoint):
        download(sent, tmp_path / "there")
    download(other, tmp_path / "there")


FILES = st.dictionaries(st.text("abc", min_size=1, max_size=2), st.binary(max_size=3), max_size=3)


@given(first=FILES, second=FILES)
def test_two_folders_have_the_same_digest_exactly_when_they_are_equal(
    tmp_path_factory: pytest.TempPathFactory, first: dict[str, bytes], second: dict[str, bytes]
) -> None:
    folders = [write(tmp_path_factory.mktemp("digest"), content) for content in (first, second)]
    assert (digest_of(folders[0]) == digest_of(folders[1])) == (first == second)


@pytest.mark.parametrize(
    ("location", "allowed"),
    [
        ("/out/job/job-1/checkpoints", True),
        ("/out/job/job-1/checkpoints/", True),
        ("/out/job/job-1", False),
        ("/out", False),
        ("/elsewhere/checkpoints", False),
        ("/out/../elsewhere/checkpoints", False),
    ],
)
def test_only_folders_of_checkpoints_at_allowed_places_are_ever_removed(location: str, *, allowed: bool) -> None:
    assert removable(location, ("/out",)) is allowed
