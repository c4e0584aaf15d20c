"""The kinds of dataset that carry metadata, in the terms of Amazon Personalize."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hrnn_tuner.algorithms.contract import DataError
from hrnn_tuner.domain.data_channel import DataChannel


@dataclass(frozen=True)
class DatasetType:
    """What a dataset of this type has for columns.

    Attributes:
        channel: The channel that it comes through.
        keys: The columns that say whose metadata a row has.
        reserved: Further columns with a meaning of their own, which are metadata only where they are named.
        min_columns: Least number of metadata columns.
        max_columns: Most of them.
    """

    channel: str
    keys: tuple[str, ...]
    reserved: tuple[str, ...]
    min_columns: int
    max_columns: int

    def metadata_columns(
        self, found: Sequence[str], path: str, channel: DataChannel, included: Sequence[str] | None
    ) -> tuple[str, ...]:
        """The metadata columns of a file by the algorithm's names, in the order of their names.

        Args:
            found: All columns of the file.
            path: The file, for messages.
            channel: How it is read.
            included: The columns to take; None for all that are not reserved.

        Raises:
            DataError: When there are too few or too many, or a column has no name.
        """
        if included is None:
            if "" in found:
                raise DataError(f"{path} has a column without a name; found: {', '.join(map(repr, found))}")
            included = [name for name in _own_names(found, channel) if name not in (*self.keys, *self.reserved)]
        names = tuple(sorted(set(included) - set(self.keys)))
        if not self.min_columns <= len(names) <= self.max_columns:
            allowed = f"{self.min_columns} to {self.max_columns} beside {', '.join((*self.keys, *self.reserved))}"
            shown = f" ({', '.join(map(channel.shown, names))})" if names else ""
            raise DataError(f"{path} has {len(names)} metadata columns{shown}; allowed: {allowed}")
        return names


#: Metadata of users.
USERS = DatasetType("users", ("USER_ID",), (), 1, 5)
#: Metadata of items. The time of an item's creation is no metadata: it is for recipes that explore new items.
ITEMS = DatasetType("items", ("ITEM_ID",), ("CREATION_TIMESTAMP",), 1, 50)
#: Context of events; interactions need none.
CONTEXT = DatasetType(
    "interactions",
    ("USER_ID", "ITEM_ID", "TIMESTAMP"),
    ("EVENT_TYPE", "EVENT_VALUE", "IMPRESSION", "RECOMMENDATION_ID", "EVENT_ATTRIBUTION_SOURCE"),
    0,
    5,
)


def _own_names(found: Sequence[str], channel: DataChannel) -> list[str]:
    """The algorithm's names of a file's columns; one whose name stands for another column is not to be had."""
    renamed = {in_files: name for name, in_files in channel.columns.items()}
    return [renamed.get(name, name) for name in found if name in renamed or name not in channel.columns]
