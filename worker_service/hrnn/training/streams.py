"""Lays training histories end to end in parallel streams, so that truncated back-propagation wastes no padding."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Marks a slot behind the end of a stream.
PADDING = -1


@dataclass(frozen=True)
class Chunk:
    """T steps of B streams, one optimizer step.

    Attributes:
        positions: Numbers of training positions [T, B], `PADDING` behind the end of a stream.
    """

    positions: NDArray[np.int64]


def stream_count(batch_tokens: int, bptt: int, users: int) -> int:
    """Streams side by side, so that a chunk has ``batch_tokens`` events; at most one for every two users."""
    return max(1, min(batch_tokens // bptt, users // 2))


def pack(lengths: NDArray[np.int64], streams: int, rng: np.random.Generator) -> list[list[int]]:
    """Spreads histories over streams of nearly equal length: the longest first, into the shortest stream.

    Args:
        lengths: Steps of each history [V].
        streams: Number of streams B.
        rng: Draws the order among equal lengths and the order within each stream, anew every epoch.

    Returns:
        History numbers of each stream, the longest stream first; streams without histories are left out.
    """
    shuffled = rng.permutation(len(lengths))
    order = shuffled[np.argsort(-lengths[shuffled], kind="stable")]
    heap = [(0, stream) for stream in range(streams)]
    members: list[list[int]] = [[] for _ in range(streams)]
    for history in order.tolist():
        length, stream = heap[0]
        members[stream].append(history)
        heapq.heapreplace(heap, (length + int(lengths[history]), stream))
    totals = {stream: length for length, stream in heap}
    kept = sorted((stream for stream in range(streams) if totals[stream]), key=lambda stream: -totals[stream])
    return [[members[stream][place] for place in rng.permutation(len(members[stream]))] for stream in kept]


def chunks(offsets: NDArray[np.int64], streams: list[list[int]], bptt: int) -> Iterator[Chunk]:
    """Cuts streams into chunks of ``bptt`` steps.

    Streams that have ended drop out: a later chunk has as many columns as streams that go on, in the same order, so
    that column b of every chunk continues column b of the chunk before.

    Args:
        offsets: Positions of history v are ``offsets[v]:offsets[v + 1]`` [V + 1].
        streams: History numbers of each stream, the longest stream first.
        bptt: Most steps of a chunk; the last is as long as what is left.
    """
    lines = [np.concatenate([np.arange(offsets[v], offsets[v + 1]) for v in members]) for members in streams]
    longest = len(lines[0])
    table = np.full((longest, len(lines)), PADDING, np.int64)
    for column, line in enumerate(lines):
        table[: len(line), column] = line
    ends = np.array([len(line) for line in lines])
    for start in range(0, longest, bptt):
        yield Chunk(table[start : start + bptt, : int((ends > start).sum())])
