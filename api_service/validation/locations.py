"""Where a job reads and writes: channels of the algorithm, allowed prefixes, and a first look at the data."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from api_service.findings import Findings, among
from api_service.validation import channel_options
from api_service.validation.data import columns_of, complaint_about
from hrnn_tuner.algorithms import Algorithm, Channel
from hrnn_tuner.domain.data_channel import DataChannel
from hrnn_tuner.domain.uris import is_allowed
from hrnn_tuner.settings import Settings
from hrnn_tuner.v1 import tuning_job_pb2
from hrnn_tuner.wire_channels import channel_from_wire


def collect(
    definition: tuning_job_pb2.TrainingJobDefinition,
    path: str,
    algorithm: Algorithm,
    settings: Settings,
    findings: Findings,
) -> None:
    """Adds everything that is wrong with a definition's channels and output."""
    seen: set[str] = set()
    usable: dict[str, DataChannel] = {}
    for index, channel in enumerate(definition.data_channels):
        place = f"{path}.data_channels[{index}]"
        declared = algorithm.channel(channel.name)
        if channel.name in seen:
            findings.wrong(f"{place}.name", f"got {channel.name!r} twice; allowed: different names", "DUPLICATE_NAME")
        elif declared is None:
            known = [entry.name for entry in algorithm.channels]
            findings.wrong(f"{place}.name", among(channel.name, known), "UNKNOWN_CHANNEL")
        seen.add(channel.name)
        readable = declared is not None and channel_options.collect(channel, place, declared, findings)
        if not is_allowed(channel.uri, settings.data_prefixes):
            findings.wrong(f"{place}.uri", _outside(channel.uri, settings.data_prefixes), "OUTSIDE_PREFIXES")
        elif declared is not None and readable and settings.verify_data:
            data = channel_from_wire(channel)
            complaint = complaint_about(data, declared.required_columns, settings.data_prefixes)
            if complaint is not None:
                findings.wrong(f"{place}.uri", complaint, "UNUSABLE_DATA")
            else:
                usable[channel.name] = data
    for declared in algorithm.channels:
        if declared.required and declared.name not in seen:
            text = f"channel {declared.name!r} is missing; {algorithm.name} needs it: {declared.description}"
            findings.wrong(f"{path}.data_channels", text, "MISSING_CHANNEL")
    if algorithm.needs_metadata and not any(_may_have_metadata(entry, seen, usable) for entry in algorithm.channels):
        findings.wrong(f"{path}.data_channels", _without_metadata(algorithm), "MISSING_METADATA")
    _check_output(definition, path, settings, findings)


def _may_have_metadata(declared: Channel, seen: Collection[str], usable: Mapping[str, DataChannel]) -> bool:
    """Whether a channel is given and has metadata, or may have them for all that can be told here."""
    if declared.metadata is None or declared.name not in seen:
        return False
    if declared.metadata.minimum > 0:
        return True
    found = columns_of(usable[declared.name]) if declared.name in usable else None
    return found is None or bool(declared.metadata_among(found))


def _without_metadata(algorithm: Algorithm) -> str:
    """Text for a request without metadata."""
    channels = [entry for entry in algorithm.channels if entry.metadata is not None]
    whole = " or ".join(repr(entry.name) for entry in channels if not entry.required)
    parts = " or ".join(entry.name for entry in channels if entry.required)
    return f"there are no metadata; {algorithm.name} needs channel {whole}, or {parts} with columns of context"


def _check_output(
    definition: tuning_job_pb2.TrainingJobDefinition, path: str, settings: Settings, findings: Findings
) -> None:
    """Artifacts and checkpoints need an allowed place."""
    place = f"{path}.output_uri"
    writable = tuple(filter(None, (*settings.data_prefixes, settings.artifacts_url)))
    if not definition.HasField("output_uri"):
        if not settings.artifacts_url:
            findings.wrong(place, "is missing, and this server has no default for it", "REQUIRED")
    elif not is_allowed(definition.output_uri, writable):
        findings.wrong(place, _outside(definition.output_uri, writable), "OUTSIDE_PREFIXES")
    checkpoints = definition.checkpoint_config.uri
    if checkpoints and not is_allowed(checkpoints, writable):
        findings.wrong(f"{path}.checkpoint_config.uri", _outside(checkpoints, writable), "OUTSIDE_PREFIXES")


def _outside(uri: str, prefixes: tuple[str, ...]) -> str:
    """Text for a location outside the operator's prefixes."""
    return f"got {uri!r}; allowed: locations below {', '.join(prefixes) or 'no prefix (none is configured)'}"
