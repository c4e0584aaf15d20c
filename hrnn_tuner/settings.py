"""Settings of all services: environment variables with the prefix ``HRNN_TUNER_``, built once in each ``main()``."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SecretsSettingsSource, SettingsConfigDict

from hrnn_tuner import failpoints

#: Names a folder with a file for each setting that is not to be in the environment, e.g. a URL with a password.
SECRETS_DIR_VARIABLE = "HRNN_TUNER_SECRETS_DIR"


class Settings(BaseSettings):
    """Every setting, with its unit in its name and a default that works on one machine.

    Lists are written as JSON, e.g. ``HRNN_TUNER_DATA_PREFIXES='["/data", "s3://bucket/"]'``, or as values separated by
    commas. A setting that the environment does not have is read from the file of its name, e.g.
    ``hrnn_tuner_database_url``, in the folder ``HRNN_TUNER_SECRETS_DIR``.
    """

    model_config = SettingsConfigDict(env_prefix="HRNN_TUNER_", enable_decoding=False, extra="ignore")

    database_url: str = Field(
        "sqlite:///hrnn-tuner.db", description="SQLAlchemy URL: sqlite:/// or postgresql+psycopg://"
    )
    broker_url: str = Field("amqp://guest:guest@127.0.0.1:5672/", description="amqp:// or amqps:// URL of RabbitMQ")
    listen: str = Field("127.0.0.1:50051", description="host:port of the gRPC API; port 0 takes a free one")
    tls_cert: Path | None = Field(None, description="PEM file of the API's certificate chain; a change is noticed")
    tls_key: Path | None = Field(None, description="PEM file of its key")
    tls_client_ca: Path | None = Field(
        None, description="PEM file of the authority of clients' certificates; set, every client needs one (mTLS)"
    )
    allow_plaintext: bool = Field(
        False, description="Whether the API may listen without TLS where other machines can connect"
    )
    authentication: str = Field(
        "auto",
        pattern="^(auto|on|off)$",
        description="Whether callers need a token or certificate; auto: unless only this machine can connect",
    )
    metrics_listen: str = Field(
        "", description="host:port of Prometheus metrics and health over HTTP (/metrics, /livez, /readyz); empty: none"
    )
    artifacts_url: str = Field("", description="Folder or s3:// prefix for artifacts of jobs that name none")
    data_prefixes: tuple[str, ...] = Field((), description="Folders and s3:// prefixes that jobs may read and write")
    verify_data: bool = Field(True, description="Whether the API looks at a job's data when it is created")
    resource_classes: tuple[str, ...] = Field(("default",), description="Classes of workers; the first is the default")
    algorithms: tuple[str, ...] = Field((), description="Further algorithms as module:attribute")
    log_format: str = Field("console", pattern="^(console|json)$", description="console or json")
    log_level: str = Field(
        "INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="Least severe level that is logged"
    )

    failpoint: str = Field("", description="Steps at which the process dies, for tests; see hrnn_tuner.failpoints")

    max_training_jobs_limit: int = Field(
        750, ge=1, description="Largest max_number_of_training_jobs (10000 for RANDOM and SOBOL)"
    )
    max_training_jobs_limit_random: int = Field(10_000, ge=1, description="The same for STRATEGY_RANDOM and SOBOL")
    max_parallel_limit: int = Field(100, ge=1, description="Largest max_parallel_training_jobs")
    # What one request may have; automatic model tuning's newest published values, which the contract has too.
    max_tuned_hyperparameters: int = Field(30, ge=1, le=30, description="Most ranges of a training job definition")
    max_categorical_values: int = Field(30, ge=1, le=30, description="Most values of a categorical range")
    max_definitions: int = Field(10, ge=1, le=10, description="Most training job definitions of a tuning job")
    max_data_channels: int = Field(20, ge=0, le=20, description="Most data channels of a training job definition")
    max_environment_variables: int = Field(48, ge=0, le=48, description="Most environment variables of a definition")
    max_tags: int = Field(50, ge=0, le=50, description="Most tags of a tuning job")
    max_retries: int = Field(30, ge=1, le=30, description="Most further attempts at a training job")
    max_warm_start_parents: int = Field(5, ge=0, le=5, description="Most parents of a warm start")
    max_tuning_job_runtime_s: int = Field(
        15_768_000, ge=120, le=15_768_000, description="Longest maximum runtime of a tuning job"
    )
    max_training_job_runtime_s: int = Field(
        2_419_200, ge=1, le=2_419_200, description="Longest maximum runtime of a training job"
    )
    max_tuning_jobs_in_progress: int = Field(100, ge=1, description="Most tuning jobs of a project in progress")
    max_parallel_training_jobs_in_progress: int = Field(
        1000, ge=1, description="Most training jobs that a project's tuning jobs in progress may run at a time together"
    )
    max_watch_streams: int = Field(1000, ge=1, description="Most Watch streams at a time, of each API replica")
    max_watch_streams_per_project: int = Field(200, ge=1, description="The same of a project")
    rate_limit_per_s: float = Field(
        50.0, gt=0, description="Calls per second of a token or certificate at each API replica, in the long run"
    )
    rate_limit_burst: int = Field(200, ge=1, description="Calls that may come at once")

    heartbeat_interval_s: float = Field(10.0, gt=0, description="Seconds between a worker's heartbeats")
    lease_ttl_s: float = Field(60.0, gt=0, description="Seconds without a sign of life after which an attempt is lost")
    max_attempts: int = Field(3, ge=1, description="Attempts at a training job whose definition has no retry strategy")
    planner_interval_s: float = Field(
        2.0, gt=0, description="Seconds between two looks at all tuning jobs in progress, when no hint comes"
    )
    control_resend_s: float = Field(5.0, gt=0, description="Seconds after which a stop command is sent again")

    training_job_log_bytes: int = Field(
        1 << 20, ge=0, description="Bytes of log that are kept of each attempt, the newest; 0 keeps none"
    )

    retention_events_days: float = Field(
        0, ge=0, description="Days after a tuning job's end for which its event log is kept; 0 keeps it for ever"
    )
    retention_metrics_days: float = Field(0, ge=0, description="The same for the metric points of its training jobs")
    retention_logs_days: float = Field(0, ge=0, description="The same for the logs of its training jobs")
    retention_artifacts_days: float = Field(
        0, ge=0, description="The same for the models of its training jobs; the best one's is always kept"
    )

    early_stopping_min_epoch: int = Field(
        3, ge=1, description="First epoch after which early stopping AUTO stops a training job"
    )
    early_stopping_min_training_jobs: int = Field(
        5, ge=1, description="Other training jobs with a value after an epoch that early stopping AUTO needs there"
    )
    min_relative_improvement: float = Field(
        0.01, ge=0, description="Share of the best absolute objective value by which a better one is an improvement"
    )

    worker_slots: int = Field(1, ge=1, description="Training jobs that a worker runs at a time")
    worker_resource_class: str = Field("default", description="Class of this worker")
    worker_devices: tuple[str, ...] = Field(
        (), description="torch devices of the slots, in turn; default: all GPUs or cpu"
    )
    worker_warm_up: bool = Field(
        True, description="Whether trainers import all algorithms before their first task; else each with its first job"
    )
    worker_go_wait_s: float = Field(
        0.0, ge=0, description="Longest wait for the scheduler's consent; 0 trains at once and stops if it is refused"
    )
    worker_once_wait_s: float = Field(
        60.0, gt=0, description="Longest wait for a task of a worker that runs but one (--once)"
    )
    worker_stop_grace_s: float = Field(10.0, gt=0, description="Time a trainer has to stop before it is killed")
    worker_early_stop_grace_s: float = Field(
        120.0, gt=0, description="Time a trainer that a rule stops has to keep its best model before it is killed"
    )
    worker_drain_grace_s: float = Field(
        20.0, ge=0, description="Time that running attempts have for a checkpoint when the worker is told to end"
    )
    cache_dir: Path = Field(Path("~/.cache/hrnn-tuner"), description="Prepared data, shared by all trainers of a host")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - there is no such file
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - its folder would have to be known at import
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments before the environment before files."""
        folder = os.environ.get(SECRETS_DIR_VARIABLE)
        if not folder:
            return init_settings, env_settings
        if not Path(folder).is_dir():
            raise ValueError(f"{SECRETS_DIR_VARIABLE} is {folder!r}; allowed: an existing folder")
        return init_settings, env_settings, SecretsSettingsSource(settings_cls, secrets_dir=folder)

    @field_validator("data_prefixes", "resource_classes", "algorithms", "worker_devices", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        """Accepts a JSON list or values separated by commas."""
        if not isinstance(value, str):
            return value
        text = value.strip()
        if text.startswith("["):
            return json.loads(text)
        return [part.strip() for part in text.split(",") if part.strip()]

    @field_validator("cache_dir", mode="after")
    @classmethod
    def _expand(cls, value: Path) -> Path:
        """Resolves ``~``."""
        return value.expanduser()

    @model_validator(mode="after")
    def _whole_tls(self) -> Self:
        """A certificate needs its key, and clients' certificates need the server's."""
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key are both needed, or neither")
        if self.tls_client_ca is not None and self.tls_cert is None:
            raise ValueError("tls_client_ca needs tls_cert and tls_key")
        return self

    @field_validator("failpoint", mode="after")
    @classmethod
    def _known(cls, value: str) -> str:
        """Refuses steps that there are not."""
        failpoints.parse(value)
        return value

    @field_validator("worker_resource_class", mode="after")
    @classmethod
    def _lower(cls, value: str) -> str:
        """Resource classes are lower case."""
        return value.lower()
