"""The uploads of one attempt."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from hrnn_tuner.domain.checkpoint import Checkpoint
from tests.support.waiting import wait_until
from worker_service import checkpoint_uploader
from worker_service.checkpoint_store import upload
from worker_service.checkpoint_uploader import CheckpointUploader

TIMEOUT_S = 10.0


class Gate:
    """Holds uploads up until it is opened."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.open = threading.Event()

    def upload(self, folder: Path, step: int, uri: str) -> Checkpoint:
        self.entered.set()
        assert self.open.wait(TIMEOUT_S)
        return upload(folder, step, uri)


class Rig:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = folder / "checkpoints" / "attempt-2"
        self.reported: list[Checkpoint] = []
        self.earlier = upload(self.local(0), 4, str(folder / "checkpoints" / "attempt-1" / "epoch-4"))
        self.uploader = CheckpointUploader(
            str(self.store), earlier=self.earlier, on_uploaded=self.reported.append, on_idle=lambda: None
        )

    def local(self, step: int) -> Path:
        folder = self.folder / f"local-{step}"
        folder.mkdir()
        (folder / "state").write_text(str(step))
        return folder

    def stored(self) -> set[str]:
        found = set()
        for folder, _, files in os.walk(self.folder / "checkpoints"):  # unlike a glob, bears folders that vanish
            if "state" in files:
                found.add(Path(folder).name)
        return found


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    gate = Gate()
    monkeypatch.setattr(checkpoint_uploader, "upload", gate.upload)
    return gate


def test_a_checkpoint_is_reported_once_it_is_complete_and_its_local_folder_goes(rig: Rig) -> None:
    folder = rig.local(5)
    rig.uploader.offer(5, folder)
    assert rig.uploader.finish(TIMEOUT_S)
    assert [item.step for item in rig.reported] == [5]
    assert rig.stored() == {"epoch-4", "epoch-5"}
    wait_until(lambda: not folder.exists(), TIMEOUT_S, "the local folder to go")


def test_while_one_is_on_its_way_the_newest_of_those_that_wait_wins(rig: Rig, gate: Gate) -> None:
    rig.uploader.offer(5, rig.local(5))
    assert gate.entered.wait(TIMEOUT_S)
    for step in (6, 7, 8):
        rig.uploader.offer(step, rig.local(step))
    gate.open.set()
    assert rig.uploader.finish(TIMEOUT_S)
    assert [item.step for item in rig.reported] == [5, 8]
    assert not (rig.folder / "local-6").exists()


def test_older_checkpoints_go_when_a_later_one_is_recorded_and_not_before(rig: Rig) -> None:
    for step in (5, 6):
        rig.uploader.offer(step, rig.local(step))
        assert rig.uploader.finish(TIMEOUT_S)
    assert rig.stored() == {"epoch-4", "epoch-5", "epoch-6"}
    rig.uploader.recorded(6)
    wait_until(lambda: rig.stored() == {"epoch-6"}, TIMEOUT_S, "the older ones to go")


def test_an_upload_that_ends_after_the_attempt_is_taken_back_without_a_word(rig: Rig, gate: Gate) -> None:
    rig.uploader.offer(5, rig.local(5))
    assert gate.entered.wait(TIMEOUT_S)
    assert not rig.uploader.finish(0.0)
    rig.uploader.close()
    gate.open.set()
    wait_until(lambda: not (rig.folder / "local-5").exists(), TIMEOUT_S, "the end of the upload")
    assert (rig.reported, rig.stored()) == ([], {"epoch-4"})


def test_an_upload_that_fails_is_not_reported_and_the_next_one_is(rig: Rig) -> None:
    rig.store.parent.mkdir(exist_ok=True)
    rig.store.write_text("a file where the folder should be")
    rig.uploader.offer(5, rig.local(5))
    assert rig.uploader.finish(TIMEOUT_S)
    assert rig.reported == []
    rig.store.unlink()
    rig.uploader.offer(6, rig.local(6))
    assert rig.uploader.finish(TIMEOUT_S)
    assert [item.step for item in rig.reported] == [6]
