"""What a training job reads through one channel of its algorithm, and how."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

EVENT_TYPE = "EVENT_TYPE"
EVENT_VALUE = "EVENT_VALUE"


@dataclass(frozen=True)
class DataChannel:
    """The data of one channel, with the options that the algorithm's channel takes.

    Attributes:
        uri: File or folder.
        columns: Column names in the files by the names that the algorithm uses; one that is missing here has the same
            name in both.
        event_type: Only rows with this EVENT_TYPE are read; None for all.
        event_value_threshold: Only rows with at least this EVENT_VALUE are read; None for all.
    """

    uri: str
    columns: Mapping[str, str] = field(default_factory=dict)
    event_type: str | None = None
    event_value_threshold: float | None = None

    @property
    def filter_columns(self) -> tuple[str, ...]:
        """The columns that the filters look at, by the algorithm's names."""
        given = ((EVENT_TYPE, self.event_type), (EVENT_VALUE, self.event_value_threshold))
        return tuple(name for name, filtered in given if filtered is not None)

    @property
    def filters(self) -> str:
        """The filters for people; empty when there are none."""
        parts = [f"event_type {self.event_type!r}"] if self.event_type is not None else []
        if self.event_value_threshold is not None:
            parts.append(f"event_value_threshold {self.event_value_threshold:g}")
        return " and ".join(parts)

    def in_files(self, name: str) -> str:
        """The name in the files of a column of the algorithm."""
        return self.columns.get(name, name)

    def own_names(self, found: Iterable[str]) -> list[str]:
        """The algorithm's names of columns of a file; a column whose name stands for another one is not to be had."""
        renamed = {in_files: name for name, in_files in self.columns.items()}
        return [renamed.get(name, name) for name in found if name in renamed or name not in self.columns]

    def shown(self, name: str) -> str:
        """A column of the algorithm for messages: as it is called in the files, and what for."""
        found = self.in_files(name)
        return found if found == name else f"{found} (for {name})"
