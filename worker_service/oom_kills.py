"""How often the kernel has killed a process of this control group for want of memory."""

from __future__ import annotations

from pathlib import Path


def oom_kills(root: Path = Path("/")) -> int | None:
    """The kernel's counter; None where it keeps none that can be read.

    Reads ``oom_kill`` of ``memory.events`` (version 2 of control groups) or of ``memory.oom_control`` (version 1), in
    the group of this process. Inside a container the group's own files may be mounted at the top.

    Args:
        root: Where ``proc`` and ``sys`` are.
    """
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return None
    mount = root / "sys/fs/cgroup"
    for line in lines:
        _, controllers, group = line.split(":", 2)
        if not controllers:
            base, name = mount, "memory.events"
        elif "memory" in controllers.split(","):
            base, name = mount / "memory", "memory.oom_control"
        else:
            continue
        for folder in (base / group.lstrip("/"), base):
            count = _read(folder / name)
            if count is not None:
                return count
    return None


def _read(path: Path) -> int | None:
    """The counter in one file."""
    try:
        pairs = [line.split() for line in path.read_text().splitlines()]
    except OSError:
        return None
    return next((int(pair[1]) for pair in pairs if len(pair) == 2 and pair[0] == "oom_kill"), None)
