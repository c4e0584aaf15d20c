"""Which of a task's locations this worker may use: the operator's prefixes hold here too, whatever the task says."""

from __future__ import annotations

from hrnn_tuner.domain.uris import is_allowed
from hrnn_tuner.settings import Settings
from worker_service.assignment import Assignment


def writable_prefixes(settings: Settings) -> tuple[str, ...]:
    """Where models and checkpoints may be written."""
    return (*settings.data_prefixes, *filter(None, [settings.artifacts_url]))


def forbidden_location(wanted: Assignment, settings: Settings) -> str | None:
    """Says which of an assignment's locations lies outside the operator's prefixes; None when all are allowed."""
    readable = settings.data_prefixes
    for name, channel in wanted.channels.items():
        if not is_allowed(channel.uri, readable):
            return f"channel {name!r}: {channel.uri!r} is not below an allowed prefix; allowed: {list(readable)}"
    writable = writable_prefixes(settings)
    locations = {"artifact": wanted.artifact_uri, "checkpoints": wanted.checkpoint_uri}
    if wanted.resume_from is not None:
        locations["checkpoint"] = wanted.resume_from.uri
    for name, uri in locations.items():
        if uri and not is_allowed(uri, writable):
            return f"{name}: {uri!r} is not below an allowed prefix; allowed: {list(writable)}"
    return None
