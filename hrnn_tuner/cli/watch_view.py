"""The live view of a watch: a header with progress, and a table of training jobs with the best one highlighted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from hrnn_tuner.cli.output import duration_text, objective_text, state_text, table, value_text
from hrnn_tuner.cli.watch_state import WatchState
from hrnn_tuner.v1.training_job_pb2 import (
    TRAINING_JOB_STATE_IN_PROGRESS,
    TRAINING_JOB_STATE_STOPPING,
    TrainingJob,
)
from hrnn_tuner.v1.tuning_job_pb2 import TuningJob
from hrnn_tuner.v1.tuning_service_pb2 import WatchTuningJobResponse

_ACTIVE = (TRAINING_JOB_STATE_IN_PROGRESS, TRAINING_JOB_STATE_STOPPING)
_BEST_STYLE = "bold green"


class WatchView:
    """A renderable that shows the state of a watch; rich draws it from a thread of its own.

    Args:
        state: The state; change it through `apply` only.
        max_rows: Most training jobs shown at a time.
        now: Seconds since the epoch.
    """

    def __init__(self, state: WatchState, *, max_rows: int = 20, now: Callable[[], float] = time.time) -> None:
        self._state = state
        self._max_rows = max_rows
        self._now = now
        self._lock = threading.Lock()

    def apply(self, event: WatchTuningJobResponse) -> None:
        """Takes in one event."""
        with self._lock:
            self._state.apply(event)

    def __rich__(self) -> RenderableType:
        with self._lock:
            job = self._state.job
            if job is None:
                return Text("waiting for the first event …")
            shown = self.visible()
            hidden = len(self._state.training_jobs) - len(shown)
            more = [Text(f"and {hidden} more; see `hrnn-tuner training-jobs {job.name}`")] if hidden else []
            return Group(self._header(job), self._table(shown), *more)

    def _header(self, job: TuningJob) -> RenderableType:
        """Name, state, progress, counts and running time in one line."""
        limit = job.spec.resource_limits.max_number_of_training_jobs
        active = sum(item.state in _ACTIVE for item in self._state.training_jobs.values())
        end_s = job.end_time.seconds if job.HasField("end_time") else self._now()
        line = Table.grid(padding=(0, 2))
        line.add_row(
            Text(job.name, style="bold"),
            state_text(job),
            ProgressBar(
                total=max(limit, 1),
                completed=self._state.ended,
                width=30,
                complete_style="cyan",
                finished_style="green",
            ),
            f"{self._state.ended}/{limit or '?'} ended",
            f"{active}/{job.spec.resource_limits.max_parallel_training_jobs} active",
            duration_text(max(end_s - job.create_time.seconds, 0.0)),
        )
        return line

    def _table(self, shown: Sequence[TrainingJob]) -> Table:
        """The training jobs that are shown."""
        names = sorted({name for job in shown for name in job.tuned_hyperparameters})
        metric = self._state.metric_of(shown[0]) if shown else "objective"
        result = table(
            "", "#>", "state", *(f"{name}>" for name in names), "epoch>", f"last {metric}>", f"{metric}>", ""
        )
        for job in shown:
            step, last = self._state.last_objective.get(job.name, (None, None))
            best = job.number == self._state.best_number
            note = "★ best" if best else job.failure_reason or (f"attempt {job.attempt}" if job.attempt > 1 else "")
            values = (job.tuned_hyperparameters.get(name) for name in names)
            result.add_row(
                str(job.number),
                state_text(job),
                *("-" if value is None else value_text(value) for value in values),
                "-" if step is None else str(step),
                "-" if last is None else f"{last:.6g}",
                objective_text(job),
                note,
                style=_BEST_STYLE if best else "",
            )
        return result

    def visible(self) -> Sequence[TrainingJob]:
        """The training jobs that are shown, by number: the best, the active ones, then the newest."""
        jobs = self._state.training_jobs.values()
        best = self._state.best_number
        urgency = sorted(jobs, key=lambda job: (job.number != best, job.state not in _ACTIVE, -job.number))
        return sorted(urgency[: self._max_rows], key=lambda job: job.number)
