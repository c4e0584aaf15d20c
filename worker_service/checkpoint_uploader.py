"""Uploads the checkpoints of one attempt behind the trainer's back: the newest wins, old ones go."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from hrnn_tuner.domain.checkpoint import Checkpoint
from worker_service.checkpoint_store import remove, upload

_log = structlog.get_logger(__name__)


class CheckpointUploader:
    """A thread that starts with the first checkpoint. Thread-safe.

    An uploaded checkpoint is removed when the scheduler has recorded a later one, not before: the next attempt goes on
    from what is recorded.
    """

    def __init__(
        self,
        uri: str,
        *,
        earlier: Checkpoint | None,
        on_uploaded: Callable[[Checkpoint], None],
        on_idle: Callable[[], None],
    ) -> None:
        """Starts nothing yet.

        Args:
            uri: Folder of the attempt's checkpoints.
            earlier: The checkpoint of an earlier attempt, which goes when one of this attempt is recorded.
            on_uploaded: Called with each uploaded checkpoint, on the uploader's thread; not after `close`.
            on_idle: Called on the same thread when nothing waits any more.
        """
        self._uri = uri.rstrip("/")
        self._on_uploaded = on_uploaded
        self._on_idle = on_idle
        self._changed = threading.Condition()
        self._waiting: tuple[int, Path] | None = None
        self._uploading = False
        self._kept: list[Checkpoint] = [] if earlier is None else [earlier]
        self._recorded = 0
        self._closed = False
        self._thread: threading.Thread | None = None

    @property
    def idle(self) -> bool:
        """Whether no checkpoint waits or is on its way."""
        with self._changed:
            return self._waiting is None and not self._uploading

    def offer(self, step: int, folder: Path) -> None:
        """Takes over a local checkpoint; one that still waits is dropped in its favour."""
        with self._changed:
            if self._closed:
                return
            overtaken, self._waiting = self._waiting, (step, folder)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="checkpoints", daemon=True)
                self._thread.start()
            self._changed.notify_all()
        if overtaken is not None:
            shutil.rmtree(overtaken[1], ignore_errors=True)

    def recorded(self, step: int) -> None:
        """The scheduler has recorded this attempt's checkpoint of a step: earlier ones can go."""
        with self._changed:
            if step > self._recorded:
                self._recorded = step
                self._changed.notify_all()

    def finish(self, timeout_s: float) -> bool:
        """Waits until everything is uploaded; False when it takes longer."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while self._waiting is not None or self._uploading:
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(left)
        return True

    def close(self) -> None:
        """Reports nothing any more and ends the thread; an upload on its way cannot be broken off and is taken back."""
        with self._changed:
            self._closed = True
            self._waiting = None
            self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not (self._closed or self._waiting or self._outdated()):
                    self._changed.wait()
                if self._closed:
                    return
                work, self._waiting = self._waiting, None
                self._uploading = work is not None
                outdated = self._outdated()
                self._kept = [item for item in self._kept if item not in outdated]
            if work is not None:
                self._upload(*work)
            for checkpoint in outdated:
                self._remove(checkpoint.uri)

    def _outdated(self) -> list[Checkpoint]:
        """The checkpoints before the recorded one."""
        return [item for item in self._kept if item.step < self._recorded]

    def _upload(self, step: int, folder: Path) -> None:
        uri = f"{self._uri}/epoch-{step}"
        checkpoint = None
        try:
            checkpoint = upload(folder, step, uri)
        except Exception as error:  # noqa: BLE001 - stores raise anything; training goes on, the next one may succeed
            if not self._closed:
                _log.warning("checkpoint was not uploaded", uri=uri, error=f"{type(error).__name__}: {error}")
        with self._changed:
            self._uploading = False
            unwanted = self._closed or checkpoint is None
            if checkpoint is not None and not unwanted:
                self._kept.append(checkpoint)
                self._on_uploaded(checkpoint)
            self._changed.notify_all()
            if self._waiting is None and not self._closed:
                self._on_idle()
        if unwanted:
            self._remove(uri)
        shutil.rmtree(folder, ignore_errors=True)

    def _remove(self, uri: str) -> None:
        try:
            remove(uri)
        except Exception as error:  # noqa: BLE001 - all that is left goes when the training job has ended
            _log.warning("checkpoint was not removed", uri=uri, error=f"{type(error).__name__}: {error}")
