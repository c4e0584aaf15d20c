"""Seeds of independent streams of random numbers, which depend on nothing but their names."""

from __future__ import annotations

import hashlib

import numpy as np


def stream_seed(*names: object) -> int:
    """A seed of 63 bits for the stream of these names."""
    digest = hashlib.sha256("/".join(map(str, names)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def stream(*names: object) -> np.random.Generator:
    """The stream of these names; the same numbers with every version of numpy, as it says of its bit generators."""
    return np.random.Generator(np.random.PCG64(stream_seed(*names)))
