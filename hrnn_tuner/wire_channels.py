"""Data channels on the wire: the one conversion that the API, the queue and the command line share."""

from __future__ import annotations

from hrnn_tuner.domain.data_channel import DataChannel
from hrnn_tuner.v1 import tuning_job_pb2


def channel_to_wire(name: str, channel: DataChannel) -> tuning_job_pb2.DataChannel:
    """The message of the data of the channel of this name."""
    return tuning_job_pb2.DataChannel(
        name=name,
        uri=channel.uri,
        columns=dict(channel.columns),
        event_type=channel.event_type,
        event_value_threshold=channel.event_value_threshold,
    )


def channel_from_wire(message: tuning_job_pb2.DataChannel) -> DataChannel:
    """The data in a message; its name is for the caller."""
    return DataChannel(
        uri=message.uri,
        columns=dict(message.columns),
        event_type=message.event_type if message.HasField("event_type") else None,
        event_value_threshold=message.event_value_threshold if message.HasField("event_value_threshold") else None,
    )
