"""The GPUs, as torch sees them: in a process of its own, because this one never loads torch, and drivers may hang."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence

from hrnn_tuner.doctor.contract import Finding, ok, problem, warning

#: Loading torch from a cold disk takes longer than any other check.
LIMIT_S = 30.0
_MARGIN_S = 1.0
_GIB = 1 << 30
_LITTLE = 2 * _GIB
_SCRIPT = """
import json
import torch
devices = range(torch.cuda.device_count())
print(json.dumps({
    "torch": torch.__version__,
    "cuda": torch.version.cuda,
    "devices": [[torch.cuda.get_device_name(i), *torch.cuda.mem_get_info(i)] for i in devices],
}))
"""


def check() -> Sequence[Finding]:
    """Which GPUs training jobs can use, and how much memory is free.

    Raises:
        subprocess.TimeoutExpired: When torch does not answer.
    """
    asked = subprocess.run(
        [sys.executable, "-c", _SCRIPT], capture_output=True, text=True, timeout=LIMIT_S - _MARGIN_S, check=False
    )
    if asked.returncode != 0:
        error = (asked.stderr.strip().splitlines() or ["no reason given"])[-1]
        if "No module named 'torch'" in error:
            advice = "nothing to do, unless training jobs are to run here: pip install 'hrnn-tuner[worker]'"
            return [warning("torch is not installed here", advice)]
        return [problem(f"torch cannot be used: {error}", "install it again: pip install 'hrnn-tuner[worker]'")]
    facts = json.loads(asked.stdout)
    return [_device(*device) for device in facts["devices"]] or [_no_device(facts["torch"], facts["cuda"])]


def _device(name: str, free: int, total: int) -> Finding:
    text = f"{name}, {free / _GIB:.1f} of {total / _GIB:.1f} GiB free"
    if free < _LITTLE:
        return warning(text, "another process uses it: nvidia-smi shows which; training jobs may run out of memory")
    return ok(text)


def _no_device(torch: str, cuda: str | None) -> Finding:
    if shutil.which("nvidia-smi") is None:
        return ok(f"none: training jobs run on the CPU here (torch {torch})")
    if cuda is None:
        return problem(f"torch {torch} is built without CUDA", "install a build of torch for this machine's CUDA")
    advice = "see what nvidia-smi says; in a container, give it the GPUs (deploy/compose.gpu.yaml)"
    return problem(f"torch {torch} sees none, though there is a driver", advice)
