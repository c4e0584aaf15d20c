"""Publishing an artifact: whole or absent."""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path

import fsspec
import pytest

from worker_service import artifacts
from worker_service.artifacts import FINGERPRINT, MANIFEST, discard_partial, partial_path, publish, removable


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "sub").mkdir(parents=True)
    (folder / "model.txt").write_text("model")
    (folder / MANIFEST).write_text("{}")
    (folder / "sub" / "z.txt").write_text("z")
    return folder


def _publish(source: Path, uri: str, fingerprint: str = "f1") -> None:
    publish(source, uri, fingerprint=fingerprint, tag="worker")


@pytest.mark.parametrize("form", ["{}", "file://{}"])
def test_a_local_artifact_is_copied_whole(source: Path, tmp_path: Path, form: str) -> None:
    target = tmp_path / "out" / "deep" / "attempt-1"
    _publish(source, form.format(target))
    assert (target / "model.txt").read_text() == "model"
    assert (target / "sub" / "z.txt").read_text() == "z"
    assert [path.name for path in target.parent.iterdir()] == ["attempt-1"]


def test_a_copy_that_fails_leaves_nothing(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(OSError, match="disk full"):
        _publish(source, str(tmp_path / "out" / "attempt-1"))
    assert list((tmp_path / "out").iterdir()) == []


def test_what_a_killed_upload_left_is_discarded(tmp_path: Path) -> None:
    target = tmp_path / "attempt-1"
    partial_path(target, "worker").mkdir()
    partial_path(target, "other").mkdir()
    discard_partial(str(target), "worker")
    discard_partial("s3://bucket/attempt-1", "worker")
    assert [path.name for path in tmp_path.iterdir()] == [partial_path(target, "other").name]


def test_of_one_attempt_that_ran_twice_the_first_artifact_stays(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "attempt-1"
    _publish(source, str(target))
    (source / "model.txt").write_text("second")
    _publish(source, str(target))
    assert (target / "model.txt").read_text() == "model"


def test_what_another_attempt_left_under_the_name_is_replaced(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "attempt-1"
    target.mkdir()
    (target / "stale.txt").write_text("stale")
    _publish(source, str(target))
    assert sorted(path.name for path in target.iterdir()) == sorted([FINGERPRINT, MANIFEST, "model.txt", "sub"])


@pytest.fixture
def bucket() -> str:
    return f"memory://{uuid.uuid4().hex}/attempt-1"


def _read(uri: str) -> str:
    with fsspec.open(uri, "rt") as file:
        return str(file.read())


def test_an_object_store_gets_the_manifest_last(source: Path, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _publish(source, bucket)
    assert _read(f"{bucket}/sub/z.txt") == "z"
    assert artifacts._files(source)[-1].name == MANIFEST


def test_an_upload_that_fails_is_no_artifact(source: Path, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store, root = fsspec.core.url_to_fs(bucket)
    real = type(store).put_file

    def fail_at_model(self: object, local: str, remote: str, **options: object) -> object:
        if local.endswith("z.txt"):
            raise OSError("connection lost")
        return real(self, local, remote, **options)

    monkeypatch.setattr(type(store), "put_file", fail_at_model)
    with pytest.raises(OSError, match="connection lost"):
        _publish(source, bucket)
    assert not store.exists(f"{root}/{MANIFEST}")


def test_an_object_store_keeps_the_first_of_one_attempt_and_replaces_a_stranger(source: Path, bucket: str) -> None:
    _publish(source, bucket, "f1")
    (source / "model.txt").write_text("second")
    shutil.rmtree(source / "sub")
    _publish(source, bucket, "f1")
    assert _read(f"{bucket}/model.txt") == "model"
    _publish(source, bucket, "f2")
    assert _read(f"{bucket}/model.txt") == "second"
    store, root = fsspec.core.url_to_fs(bucket)
    assert not store.exists(f"{root}/sub/z.txt")


def _models(tmp_path: Path) -> tuple[Path, Path]:
    """The folder of a tuning job with two models, and another folder."""
    root, other = tmp_path / "artifacts" / "job", tmp_path / "elsewhere"
    for place in (root / "job-1" / "attempt-1", root / "job-2" / "attempt-1", other / "attempt-1"):
        place.mkdir(parents=True)
    return root, other


def test_only_attempts_below_the_folder_of_the_tuning_job_are_removable(tmp_path: Path) -> None:
    root, other = _models(tmp_path)
    writable = (str(tmp_path / "artifacts"),)
    assert removable(f"{root}/job-1/attempt-1", str(root), writable)
    assert removable(f"{root}/job-9/attempt-12", str(root), writable), "one that is gone already"
    for uri in (
        f"{root}",
        f"{root}/job-1",
        f"{root}/job-1/attempt-1/sub",
        f"{root}/job-1/checkpoints",
        f"{root}/job-1/attempt-0",
        f"{root}/../attempt-1",
        f"{root}/./attempt-1",
        f"{root}//attempt-1",
        f"{root}2/job-1/attempt-1",
        f"{other}/attempt-1",
    ):
        assert not removable(uri, str(root), writable), uri
    assert not removable(f"{other}/x/attempt-1", str(other), writable), "the root itself must be allowed"
    assert removable("s3://bucket/job/job-1/attempt-1", "s3://bucket/job", ("s3://bucket",))
    assert not removable("s3://bucket/job/../attempt-1", "s3://bucket/job", ("s3://bucket",))


def test_links_lead_a_removal_nowhere(tmp_path: Path) -> None:
    root, other = _models(tmp_path)
    writable = (str(tmp_path / "artifacts"),)
    (root / "outside").symlink_to(other)
    (root / "inside").symlink_to(root / "job-2")
    (root / "job-1" / "attempt-2").symlink_to(root / "job-2" / "attempt-1")
    for name in ("outside/attempt-1", "inside/attempt-1", "job-1/attempt-2"):
        assert not removable(f"{root}/{name}", str(root), writable), name
    linked = tmp_path / "artifacts" / "linked"  # the operator's own link to the whole folder is no detour
    linked.symlink_to(root)
    assert removable(f"{linked}/job-1/attempt-1", str(linked), writable)
