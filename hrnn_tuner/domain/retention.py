"""What is kept of tuning jobs that have ended, and for how long."""

from __future__ import annotations

import enum
from collections.abc import Mapping

#: A tuning job with this tag and value keeps everything.
KEEP_TAG = "hrnn-tuner/keep"
KEEP_VALUE = "true"


class Belongings(enum.Enum):
    """What a tuning job leaves behind, beside its own record and those of its training jobs, which stay."""

    EVENTS = "events"
    METRICS = "metrics"
    LOGS = "logs"
    ARTIFACTS = "artifacts"  #: models of training jobs other than the best


def is_pinned(tags: Mapping[str, str]) -> bool:
    """Whether somebody wants a tuning job to keep everything."""
    return tags.get(KEEP_TAG) == KEEP_VALUE
