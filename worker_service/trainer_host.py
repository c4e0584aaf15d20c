"""Keeps one warm trainer process for a slot, replacing it whenever it ends."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from worker_service.inbox import Event, Inbox, TrainerGone, TrainerSaid
from worker_service.log_lines import Mask
from worker_service.messages import JobEnded, PipeMessage, Ready, RunJob, Setup
from worker_service.trainer_link import TrainerLink
from worker_service.trainer_output import Listener

_log = structlog.get_logger(__name__)

#: Importing torch and starting a GPU's context takes seconds; on a loaded host a minute.
WARM_UP_TIMEOUT_S = 300.0
_FIRST_BACK_OFF_S = 0.5
_MAX_BACK_OFF_S = 60.0


class TrainerHost:
    """The trainer process of one slot. Used by the slot's thread only, which reads the inbox and passes events on."""

    def __init__(self, setup: Setup, inbox: Inbox) -> None:
        """Starts nothing yet."""
        self._setup = setup
        self._inbox = inbox
        self._link: TrainerLink | None = None
        self._ready = False
        self._failures = 0
        self._jobs = 0
        self._ended = "the trainer process was not started"
        self._out_of_memory = False

    @property
    def warm(self) -> bool:
        """Whether a process waits for a job."""
        return self._ready

    @property
    def pid(self) -> int | None:
        """Id of the current process."""
        return None if self._link is None else self._link.pid

    @property
    def ended(self) -> str:
        """How the last process ended."""
        return self._ended

    @property
    def out_of_memory(self) -> bool:
        """Whether the last process was killed for want of memory."""
        return self._out_of_memory

    def accept(self, event: Event | None) -> PipeMessage | None:
        """Takes note of an event.

        Returns:
            What the current process said, but for `Ready`; None for anything else. After the end of the process
            `warm` is False.
        """
        if isinstance(event, TrainerGone) and event.link is self._link:
            self._ended, self._out_of_memory = event.how, event.out_of_memory
            self._link, self._ready = None, False
        if not isinstance(event, TrainerSaid) or event.link is not self._link:
            return None  # of a process that was replaced
        message = event.message
        if isinstance(message, Ready):
            self._ready, self._failures = True, 0
            _log.info(
                "trainer is warm",
                slot=self._setup.slot,
                pid=message.pid,
                device=message.device,
                algorithms=message.algorithms,
            )
            return None
        if isinstance(message, JobEnded) and message.retiring:
            self.discard("retired")
        return message

    def ensure_warm(self, interrupted: Callable[[], bool], *, tries: int | None = None) -> bool:
        """Waits until a process is warm, starting new ones with back-off.

        Args:
            interrupted: Ends the wait; looked at after each wake-up of the inbox.
            tries: Number of failures in a row after which to give up; None for never.

        Returns:
            Whether a process is warm.
        """
        while not self._ready and not interrupted():
            if tries is not None and self._failures >= tries:
                return False
            if self._link is None:
                self._back_off(interrupted)
                if not interrupted():
                    self._start()
            self._await_ready(interrupted)
        return self._ready

    def run(self, job: RunJob, listener: Listener, mask: Mask) -> None:
        """Orders a job; a process that has just died says so through the inbox.

        Args:
            job: The job.
            listener: Called on another thread with each line that the process writes until `end_listening`, or until
                its end is known.
            mask: What must not be in these lines.
        """
        if self._link is not None:
            self._link.output.listen(listener, mask)
            self._link.run(job)

    def end_listening(self) -> None:
        """Passes on what was written up to now, and nothing from now on."""
        if self._link is not None:
            self._link.output.end_listening()

    def stop_job(self, job: int, *, keep: bool) -> None:
        """Asks a job to stop, and to keep the model of its best epoch or not."""
        if self._link is not None:
            self._link.stop(job, keep=keep)

    def next_job(self) -> int:
        """A number for the next job."""
        self._jobs += 1
        return self._jobs

    def discard(self, why: str) -> None:
        """Kills the process and waits for its end: its memory is free, and it writes no more."""
        link, self._link, self._ready = self._link, None, False
        if link is not None:
            self._ended, self._out_of_memory = why, False
            link.close()

    def _start(self) -> None:
        inbox = self._inbox
        self._link = TrainerLink(
            self._setup,
            on_message=lambda link, message: inbox.put(TrainerSaid(link, message)),
            on_end=lambda link, how, out_of_memory: inbox.put(TrainerGone(link, how, out_of_memory)),
        )

    def _await_ready(self, interrupted: Callable[[], bool]) -> None:
        deadline = time.monotonic() + WARM_UP_TIMEOUT_S
        while self._link is not None and not self._ready and not interrupted():
            self.accept(self._inbox.get(deadline))
            if not self._ready and time.monotonic() >= deadline:
                self.discard(f"the trainer process was not warm after {WARM_UP_TIMEOUT_S:g} s")
        if self._link is None:
            self._failures += 1
            _log.error("trainer did not warm up", slot=self._setup.slot, failures=self._failures, reason=self._ended)

    def _back_off(self, interrupted: Callable[[], bool]) -> None:
        if self._failures == 0:
            return
        deadline = time.monotonic() + min(_MAX_BACK_OFF_S, _FIRST_BACK_OFF_S * 2 ** (self._failures - 1))
        while time.monotonic() < deadline and not interrupted():
            self.accept(self._inbox.get(deadline))
