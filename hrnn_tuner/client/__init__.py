"""The Python client of the tuning service, for threads and for asyncio.

Example:
    ::

        from hrnn_tuner.client import TuningClient

        with TuningClient("127.0.0.1:50051") as client:
            job = client.create_tuning_job(Path("tuning_job.json").read_text()).tuning_job
            best = client.wait(job.name).best_training_job
            print(best.final_objective_value, best.artifact_uri)
"""

from hrnn_tuner.client.async_client import AsyncTuningClient
from hrnn_tuner.client.credentials import tls_credentials
from hrnn_tuner.client.errors import (
    AlreadyExistsError,
    DeadlineExceededError,
    FailedPreconditionError,
    InvalidRequestError,
    NotFoundError,
    NotImplementedByServerError,
    PermissionDeniedError,
    ResourceExhaustedError,
    ServerError,
    TuningError,
    UnavailableError,
    Violation,
)
from hrnn_tuner.client.requests import TrainingJobFilter, TuningJobFilter
from hrnn_tuner.client.retry import RetryPolicy
from hrnn_tuner.client.specification import SpecInput, parse_request
from hrnn_tuner.client.sync_client import TuningClient
from hrnn_tuner.client.watching import is_terminal

__all__ = [
    "AlreadyExistsError",
    "AsyncTuningClient",
    "DeadlineExceededError",
    "FailedPreconditionError",
    "InvalidRequestError",
    "NotFoundError",
    "NotImplementedByServerError",
    "PermissionDeniedError",
    "ResourceExhaustedError",
    "RetryPolicy",
    "ServerError",
    "SpecInput",
    "TrainingJobFilter",
    "TuningClient",
    "TuningError",
    "TuningJobFilter",
    "UnavailableError",
    "Violation",
    "is_terminal",
    "parse_request",
    "tls_credentials",
]
