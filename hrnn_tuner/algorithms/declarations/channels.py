"""The data channels of the HRNN family: Amazon Personalize's three datasets."""

from __future__ import annotations

from dataclasses import replace

from hrnn_tuner.algorithms.specification import Channel, ChannelOption, MetadataColumns
from hrnn_tuner.domain.data_channel import EVENT_TYPE, EVENT_VALUE

_FORMATS = "CSV, gzipped CSV or Parquet, one file or a folder"
#: When an item came into being, in Unix seconds.
CREATION_TIMESTAMP = "CREATION_TIMESTAMP"

INTERACTIONS = Channel(
    name="interactions",
    required=True,
    required_columns=("USER_ID", "ITEM_ID", "TIMESTAMP"),
    description=f"Who used what and when: {_FORMATS}; TIMESTAMP in Unix seconds. EVENT_TYPE and EVENT_VALUE are read "
    "by the filters only, other columns not at all.",
    optional_columns=(EVENT_TYPE, EVENT_VALUE),
    options=(ChannelOption.COLUMNS, ChannelOption.EVENT_TYPE, ChannelOption.EVENT_VALUE_THRESHOLD),
)

INTERACTIONS_WITH_CONTEXT = replace(
    INTERACTIONS,
    description=f"Who used what and when: {_FORMATS}; TIMESTAMP in Unix seconds. EVENT_TYPE and EVENT_VALUE are read "
    "by the filters only; up to 5 other columns are the context of an event: numbers, true and false, or categories, "
    "several of them separated by '|'. IMPRESSION, RECOMMENDATION_ID and EVENT_ATTRIBUTION_SOURCE are not read.",
    metadata=MetadataColumns(0, 5, reserved=("IMPRESSION", "RECOMMENDATION_ID", "EVENT_ATTRIBUTION_SOURCE")),
)

USERS = Channel(
    name="users",
    required=False,
    required_columns=("USER_ID",),
    description=f"One row per user: {_FORMATS}; 1 to 5 columns of metadata: numbers, true and false, or categories, "
    "several of them separated by '|'.",
    options=(ChannelOption.COLUMNS,),
    metadata=MetadataColumns(1, 5),
)

ITEMS = Channel(
    name="items",
    required=False,
    required_columns=("ITEM_ID",),
    description=f"One row per item, also of those without interactions: {_FORMATS}; 1 to 50 columns of metadata: "
    "numbers, true and false, or categories, several of them separated by '|'. CREATION_TIMESTAMP is no metadata.",
    optional_columns=(CREATION_TIMESTAMP,),
    options=(ChannelOption.COLUMNS,),
    metadata=MetadataColumns(1, 50),
)
