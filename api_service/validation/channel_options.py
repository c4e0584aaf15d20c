"""How a data channel is to be read, against what the algorithm's channel takes."""

from __future__ import annotations

from api_service.findings import Findings, among
from hrnn_tuner.algorithms import Channel, ChannelOption
from hrnn_tuner.v1 import tuning_job_pb2
from hrnn_tuner.wire_channels import channel_from_wire


def collect(channel: tuning_job_pb2.DataChannel, place: str, declared: Channel, findings: Findings) -> bool:
    """Adds everything that is wrong with a channel's options; says whether its data can be looked at with them."""
    taken = {option.value for option in declared.options}
    given = {field.name for field, _ in channel.ListFields()} & {option.value for option in ChannelOption}
    for name in sorted(given - taken):
        value = f"{len(channel.columns)} entries" if name == "columns" else repr(getattr(channel, name))
        allowed = ", ".join(sorted(taken)) or "no options"
        text = f"got {value}, and channel {declared.name!r} does not take {name}; allowed: {allowed}"
        findings.wrong(f"{place}.{name}", text, "UNKNOWN_OPTION")
    if given - taken:
        return False
    return _columns_are_good(channel, f"{place}.columns", declared, findings)


def _columns_are_good(channel: tuning_job_pb2.DataChannel, place: str, declared: Channel, findings: Findings) -> bool:
    """The mapping must name columns of the algorithm, and no two of them may be read from the same one.

    Metadata may have any name.
    """
    unknown = [name for name in sorted(channel.columns) if name not in declared.columns and declared.metadata is None]
    for name in unknown:
        findings.wrong(f'{place}["{name}"]', among(name, declared.columns), "UNKNOWN_COLUMN")
    data = channel_from_wire(channel)
    read_as: dict[str, str] = {}
    metadata = declared.metadata_among(channel.columns)
    for name in (*declared.required_columns, *data.filter_columns, *metadata):
        found = data.in_files(name)
        if found in read_as:
            text = f"got {found!r} for both {read_as[found]} and {name}; allowed: a column of its own for each"
            findings.wrong(place, text, "DUPLICATE_COLUMN")
            return False
        read_as[found] = name
    return not unknown
