"""The kernel's count of processes that it killed for want of memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from worker_service.oom_kills import oom_kills


@pytest.mark.parametrize(
    ("groups", "file", "text"),
    [
        ("0::/jobs/a\n", "sys/fs/cgroup/jobs/a/memory.events", "oom 4\noom_kill 3\n"),
        ("0::/outside\n", "sys/fs/cgroup/memory.events", "oom 4\noom_kill 3\n"),
        ("5:cpu:/x\n4:memory:/y\n", "sys/fs/cgroup/memory/y/memory.oom_control", "under_oom 0\noom_kill 3\n"),
    ],
    ids=["version 2", "version 2 inside a container", "version 1"],
)
def test_the_counter_is_found_in_either_version_of_control_groups(
    tmp_path: Path, groups: str, file: str, text: str
) -> None:
    for name, content in {"proc/self/cgroup": groups, file: text}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    assert oom_kills(tmp_path) == 3


def test_without_a_counter_nothing_can_be_told(tmp_path: Path) -> None:
    assert oom_kills(tmp_path) is None
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text("0::/\n")
    assert oom_kills(tmp_path) is None
