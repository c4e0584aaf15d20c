"""Sobol's low-discrepancy sequence with Owen's scrambling.

Written out instead of taken from scipy.stats.qmc, whose import takes about a second and 85 MB: proposals are made in
the transaction that launches training jobs. Any point is computed by itself, whatever versions are installed.

References:
    Joe and Kuo, Constructing Sobol sequences with better two-dimensional projections, SIAM J. Sci. Comput. 30 (2008):
    the direction numbers (their table new-joe-kuo-6.21201) and the recurrence.
    Owen, Randomly permuted (t, m, s)-nets and (t, s)-sequences (1995): the scrambling.
"""

from __future__ import annotations

import hashlib
from functools import cache

#: A search space has at most this many ranges.
MAX_DIMENSIONS = 30
_BITS = 32
#: Digits that are scrambled one by one. Among the first 2^16 points no two share that many digits of a coordinate, so
#: that what comes after them is one random number for each point.
_NESTED_BITS = 16

#: Primitive polynomial (as bits, both ends included) and initial direction numbers of each dimension after the first.
_DIRECTIONS: tuple[tuple[int, tuple[int, ...]], ...] = (
    (3, (1,)),
    (7, (1, 3)),
    (11, (1, 3, 1)),
    (13, (1, 1, 1)),
    (19, (1, 1, 3, 3)),
    (25, (1, 3, 5, 13)),
    (37, (1, 1, 5, 5, 17)),
    (41, (1, 1, 5, 5, 5)),
    (47, (1, 1, 7, 11, 19)),
    (55, (1, 1, 5, 1, 1)),
    (59, (1, 1, 1, 3, 11)),
    (61, (1, 3, 5, 5, 31)),
    (67, (1, 3, 3, 9, 7, 49)),
    (91, (1, 1, 1, 15, 21, 21)),
    (97, (1, 3, 1, 13, 27, 49)),
    (103, (1, 1, 1, 15, 7, 5)),
    (109, (1, 3, 1, 15, 13, 25)),
    (115, (1, 1, 5, 5, 19, 61)),
    (131, (1, 3, 7, 11, 23, 15, 103)),
    (137, (1, 3, 7, 13, 13, 15, 69)),
    (143, (1, 1, 3, 13, 7, 35, 63)),
    (145, (1, 3, 5, 9, 1, 25, 53)),
    (157, (1, 3, 1, 13, 9, 35, 107)),
    (167, (1, 3, 1, 5, 27, 61, 31)),
    (171, (1, 1, 5, 11, 19, 41, 61)),
    (185, (1, 3, 5, 3, 3, 13, 69)),
    (191, (1, 1, 7, 13, 1, 19, 1)),
    (193, (1, 3, 7, 5, 13, 19, 59)),
    (203, (1, 1, 3, 9, 25, 29, 41)),
)


@cache
def _direction_numbers(dimension: int) -> tuple[int, ...]:
    """The direction numbers of a dimension, as fractions of 2^32."""
    if dimension == 0:
        return tuple(1 << (_BITS - 1 - level) for level in range(_BITS))
    polynomial, initial = _DIRECTIONS[dimension - 1]
    degree = polynomial.bit_length() - 1
    numbers = [number << (_BITS - 1 - level) for level, number in enumerate(initial)]
    for level in range(degree, _BITS):
        number = numbers[level - degree] ^ (numbers[level - degree] >> degree)
        for step in range(1, degree):
            if polynomial >> (degree - step) & 1:
                number ^= numbers[level - step]
        numbers.append(number)
    return tuple(numbers)


def sobol_integer(index: int, dimension: int) -> int:
    """A coordinate of an unscrambled point, as a fraction of 2^32; points are in the order of Gray code, from 0."""
    gray, result = index ^ (index >> 1), 0
    for level in range(gray.bit_length()):
        if gray >> level & 1:
            result ^= _direction_numbers(dimension)[level]
    return result


def _scrambled(value: int, dimension: int, seed: int) -> int:
    """A coordinate under a random permutation of its digits that is nested: each digit's depends on those before it."""
    mask = 0
    for level in range(_NESTED_BITS):
        mask = mask << 1 | _hash(seed, dimension, level, value >> (_BITS - level)) & 1
    rest = _BITS - _NESTED_BITS
    return value ^ (mask << rest | _hash(seed, dimension, _NESTED_BITS, value >> rest) & ((1 << rest) - 1))


def _hash(seed: int, dimension: int, level: int, prefix: int) -> int:
    """Random bits for a digit, given the digits before it."""
    digest = hashlib.blake2b(f"{seed}/{dimension}/{level}/{prefix}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big")


def sobol_point(index: int, dimensions: int, seed: int) -> tuple[float, ...]:
    """A point of the scrambled sequence of a seed.

    Args:
        index: Position in the sequence, from 0 and below 2^32.
        dimensions: Number of coordinates, at most `MAX_DIMENSIONS`.
        seed: Chooses the scrambling.

    Returns:
        Coordinates in the open interval (0, 1). The first 2^m points hold one in each of the 2^m equal intervals of
        every coordinate.

    Raises:
        ValueError: When the sequence has no such point.
    """
    if not (0 <= index < 1 << _BITS and 1 <= dimensions <= MAX_DIMENSIONS):
        raise ValueError(f"no point {index} of {dimensions} dimensions; allowed: 1 to {MAX_DIMENSIONS} dimensions")
    return tuple(
        (_scrambled(sobol_integer(index, dimension), dimension, seed) + 0.5) / (1 << _BITS)
        for dimension in range(dimensions)
    )
