"""Lines of what a trainer writes."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker_service.log_lines import MAX_LINE_BYTES, LineSplitter, Mask


def split(*chunks: bytes, secrets: tuple[str, ...] = ()) -> list[str]:
    lines: list[str] = []
    splitter = LineSplitter(lines.append, Mask(secrets))
    for chunk in chunks:
        splitter.feed(chunk)
    splitter.finish()
    return lines


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=6))
def test_lines_do_not_depend_on_how_the_bytes_arrive(data: bytes, cuts: list[int]) -> None:
    borders = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    chunks = [data[low:high] for low, high in pairwise(borders)]
    assert split(*chunks) == split(data)


def test_a_progress_bar_is_a_line_for_each_state_and_empty_lines_are_left_out() -> None:
    assert split(b"\r 10 %\r 20 %\r\n\n\ndone") == [" 10 %", " 20 %", "done"]


def test_bytes_that_no_database_takes_are_replaced() -> None:
    assert split(b"a\0b\xffc\n") == ["a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c"]


@pytest.mark.parametrize("letter", ["x", "ü", "\N{GRINNING FACE}"])
def test_a_long_line_is_cut_and_the_next_one_is_whole(letter: str) -> None:
    long, after = split(letter.encode() * 50_000 + b"\nnext\n")
    assert long.endswith(" [cut]")
    assert MAX_LINE_BYTES - 4 <= len(long.encode()) <= MAX_LINE_BYTES
    assert after == "next"


def test_values_of_the_environment_are_hidden() -> None:
    assert split(b"token=hunter2-x user=bob\n", secrets=("hunter2-x", "bob")) == ["token=*** user=bob"]
    key = "-----BEGIN KEY-----\nAAAABBBB\n-----END KEY-----"
    assert split(key.encode(), secrets=(key,)) == ["***", "***", "***"]


@given(st.integers(0, 5000), st.integers(6, 900))
def test_no_part_of_a_secret_is_seen_where_a_line_is_cut(before: int, length: int) -> None:
    secret = "S" * length
    (line,) = split(b"." * before + secret.encode() + b"." * 5000 + b"\n", secrets=(secret,))
    assert "S" not in line
