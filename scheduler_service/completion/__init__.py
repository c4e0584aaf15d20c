"""Completion criteria: when a tuning job ends before its last training job."""

from scheduler_service.completion.criteria import Completion

__all__ = ["Completion"]
