"""The kinds of dataset that carry metadata, as their channels are declared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hrnn_tuner.algorithms.contract import DataError
from hrnn_tuner.algorithms.declarations import channels
from hrnn_tuner.algorithms.specification import Channel
from hrnn_tuner.domain.data_channel import DataChannel


@dataclass(frozen=True)
class DatasetType:
    """What a dataset of this type has for columns.

    Attributes:
        declared: The channel that it comes through, one with metadata.
    """

    declared: Channel

    @property
    def name(self) -> str:
        """The channel's name."""
        return self.declared.name

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns that say whose metadata a row has."""
        return self.declared.required_columns

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
        limits = self.declared.metadata
        if limits is None:
            raise ValueError(f"channel {self.name!r} has no metadata")
        if included is None:
            if "" in found:
                raise DataError(f"{path} has a column without a name; found: {', '.join(map(repr, found))}")
            included = self.declared.metadata_among(channel.own_names(found))
        names = tuple(sorted(set(included) - set(self.keys)))
        if not limits.minimum <= len(names) <= limits.maximum:
            others = ", ".join((*self.declared.columns, *limits.reserved))
            shown = f" ({', '.join(map(channel.shown, names))})" if names else ""
            raise DataError(
                f"{path} has {len(names)} metadata columns{shown}; allowed: {limits.minimum} to {limits.maximum} "
                f"beside {others}"
            )
        return names


#: Metadata of users.
USERS = DatasetType(channels.USERS)
#: Metadata of items. The time of an item's creation is no metadata: it is for recipes that explore new items.
ITEMS = DatasetType(channels.ITEMS)
#: Context of events; interactions need none.
CONTEXT = DatasetType(channels.INTERACTIONS_WITH_CONTEXT)
