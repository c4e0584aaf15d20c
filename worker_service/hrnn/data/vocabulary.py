"""An ordered set of ids whose bytes may lie in a memory-mapped file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray


class Vocabulary:
    """Distinct ids in byte order, numbered from 0.

    Args:
        data: The UTF-8 bytes of all ids, one behind the other, uint8 [total bytes].
        offsets: Where each id starts in ``data``, and the end, int64 [n + 1].
    """

    def __init__(self, data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> None:
        self.data = data
        self.offsets = offsets

    @classmethod
    def encode(cls, values: Any) -> tuple[Vocabulary, NDArray[np.int32]]:
        """Numbers the values of a ``large_binary`` array [E]; returns the vocabulary and the numbers, int32 [E]."""
        encoded = values.dictionary_encode()
        order = pc.sort_indices(encoded.dictionary).to_numpy()
        rank = np.empty(len(order), np.int32)
        rank[order] = np.arange(len(order), dtype=np.int32)
        ordered = encoded.dictionary.take(pa.array(order))
        _, offsets, data = ordered.buffers()
        count = len(ordered)
        bounds = np.frombuffer(offsets, np.int64, count + 1) if count else np.zeros(1, np.int64)
        content = np.frombuffer(data, np.uint8) if count else np.zeros(0, np.uint8)
        return cls(content[: bounds[-1]], bounds), rank[encoded.indices.to_numpy()]

    def as_arrow(self) -> Any:
        """The ids as a pyarrow ``large_binary`` array [n], without a copy."""
        buffers = [pa.py_buffer(array.data) for array in (self.offsets, self.data)]
        return pa.Array.from_buffers(pa.large_binary(), len(self), [None, *buffers])

    @property
    def digest(self) -> str:
        """Hex digest of the ids in their order."""
        return hashlib.sha256(self.offsets.tobytes() + self.data.tobytes()).hexdigest()

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def raw(self, number: int) -> bytes:
        """The UTF-8 bytes of an id."""
        return self.data[self.offsets[number] : self.offsets[number + 1]].tobytes()

    def __getitem__(self, number: int) -> str:
        return self.raw(number).decode()

    def __iter__(self) -> Iterator[str]:
        return (self[number] for number in range(len(self)))

    def find(self, identifier: str) -> int | None:
        """The number of an id by binary search; None when it is unknown."""
        wanted = identifier.encode()
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            if self.raw(middle) < wanted:
                low = middle + 1
            else:
                high = middle
        return low if low < len(self) and self.raw(low) == wanted else None
