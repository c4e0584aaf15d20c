"""Runs checks side by side: one that fails or hangs hides no other."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from hrnn_tuner.doctor.contract import Check, Finding, problem

_MAX_ERROR_CHARACTERS = 300


class _Run(threading.Thread):
    """One check on a thread of its own, which is left behind when it hangs."""

    def __init__(self, check: Check) -> None:
        super().__init__(name=f"doctor-{check.name}", daemon=True)
        self._check = check
        self._deadline = time.monotonic() + check.limit_s
        self._findings: Sequence[Finding] | None = None
        self.start()

    def run(self) -> None:
        try:
            self._findings = self._check.run()
        except Exception as error:  # noqa: BLE001 - what a library raises is what the check has found
            text = f"{type(error).__name__}: {error}" if str(error) else repr(error)
            text = " ".join(text.split())[:_MAX_ERROR_CHARACTERS]
            self._findings = [problem(text, self._check.advice)]

    def findings(self) -> Sequence[Finding]:
        """What it has found, or that it hangs."""
        self.join(max(0.0, self._deadline - time.monotonic()))
        if self._findings is None:
            return [problem(f"no answer within {self._check.limit_s:g} s", self._check.advice)]
        return self._findings


def examine(checks: Sequence[Check]) -> list[tuple[str, Finding]]:
    """Runs all checks; returns what each has found, with its name, in the order of the checks."""
    runs = [(check.name, _Run(check)) for check in checks]
    return [(name, finding) for name, run in runs for finding in run.findings()]
