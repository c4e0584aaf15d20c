"""Scratch directories and what killed workers leave."""

from __future__ import annotations

from pathlib import Path

from worker_service.scratch import Scratch


def test_a_worker_removes_its_directory_when_it_ends(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.open()
    (scratch.new() / "file").write_text("x")
    scratch.close()
    assert list(tmp_path.iterdir()) == []


def test_each_directory_is_new(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.open()
    assert scratch.new() != scratch.new()
    scratch.close()


def test_a_worker_removes_what_a_dead_one_left_and_nothing_of_a_living_one(tmp_path: Path) -> None:
    dead = tmp_path / "hrnn-tuner-worker-dead"
    dead.mkdir()
    (dead / "lock").touch()  # nobody holds it
    stranger = tmp_path / "hrnn-tuner-worker-without-lock"
    stranger.mkdir()
    living, late = Scratch(tmp_path), Scratch(tmp_path)
    living.open()
    kept = living.new()
    late.open()
    assert not dead.exists()
    assert stranger.exists()
    assert kept.exists()
    for scratch in (living, late):
        scratch.close()
