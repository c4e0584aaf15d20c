"""Events of a tuning job's log as messages of the public contract."""

from __future__ import annotations

from collections.abc import Sequence

from api_service import to_proto
from api_service.best import with_parents
from api_service.tokens import resume_token
from hrnn_tuner.domain.training_job import TrainingJob
from hrnn_tuner.domain.tuning_job import TuningJob
from hrnn_tuner.store import Event, EventKind, StoredParent, codec
from hrnn_tuner.v1 import training_job_pb2, tuning_service_pb2


class EventMessages:
    """Converts the events of one tuning job.

    Attributes:
        parents: Those whose training jobs count among the best; they never change.
    """

    def __init__(self, job: TuningJob) -> None:
        """Takes the tuning job; what changes of it is in the events."""
        self.parents: Sequence[StoredParent] = ()
        self._job = job

    def of(self, event: Event, best: TrainingJob | None) -> tuning_service_pb2.WatchTuningJobResponse:
        """An event as a message; ``best`` is the best training job of its moment, for one about the tuning job."""
        response = tuning_service_pb2.WatchTuningJobResponse(
            resume_token=resume_token(event.tuning_job_id, event.revision), time=to_proto.timestamp(event.at)
        )
        body = event.body
        match event.kind:
            case EventKind.TUNING_JOB:
                job = codec.status_from_json(self._job, body, event.revision)
                shown_best = with_parents(job, best if job.best_number is not None else None, self.parents)
                response.tuning_job.CopyFrom(to_proto.tuning_job(job, shown_best, event.at))
            case EventKind.TRAINING_JOB:
                shown = codec.training_job_from_json(event.tuning_job_id, body)
                response.training_job.CopyFrom(to_proto.training_job(shown, self._job.spec.name))
            case EventKind.METRICS:
                response.metrics.training_job_name = body["name"]
                if "superseded_after" in body:
                    response.metrics.superseded_after = body["superseded_after"]
                response.metrics.points.extend(
                    training_job_pb2.MetricPoint(
                        metric_name=metric, step=step, value=value, attempt=body["attempt"], time=response.time
                    )
                    for metric, step, value in body["points"]
                )
            case EventKind.DECISION:
                response.decision.CopyFrom(
                    tuning_service_pb2.Decision(
                        kind=body["kind"],
                        training_job_number=body["number"],
                        explanation=body["explanation"],
                        figures=body["figures"],
                    )
                )
        return response
