"""What a user's own history says about each item in it: how long ago, how often, how many sessions back.

Recurrent states forget single items long before their users do. These features let a model raise what people come
back to and lower what they are done with.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from worker_service.hrnn.data.sessions import SessionRule

#: Events of a history that are looked at, the newest ones.
WINDOW = 512
_NEVER = np.iinfo(np.int32).max
#: Upper ends of the buckets of "events since", "seconds since", "sessions since" and "how often", the last one open.
EVENT_BOUNDS = (0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233)
_SECONDS = (0, 60, 600, 3_600, 21_600, 86_400, 259_200, 604_800, 1_209_600, 2_592_000, 5_184_000, 7_776_000, 15_552_000)
_SECONDS_MORE = (23_328_000, 31_104_000, 38_880_000)
AGE_BOUNDS = (*_SECONDS, *_SECONDS_MORE)
SESSION_BOUNDS = (0, 1, 2, 3, 5, 8)
COUNT_BOUNDS = (1, 2, 3, 5, 9)
EVENT_BUCKETS, AGE_BUCKETS = len(EVENT_BOUNDS) + 1, len(AGE_BOUNDS) + 1
HABIT_BUCKETS = (len(SESSION_BOUNDS) + 1) * (len(COUNT_BOUNDS) + 1)


class OwnItems(NamedTuple):
    """The distinct items in the histories of M askings, P of them in all, those of one asking side by side; int32.

    Attributes:
        bounds: Items of asking m are ``bounds[m]:bounds[m + 1]``, int64 [M + 1], on the host.
        row: The asking of each [P].
        item: Catalogue row (catalogue number less one) [P].
        events: Bucket of the events since its latest occurrence [P].
        age: Bucket of the time since then [P].
        habit: Bucket of the sessions since then, crossed with that of its number of occurrences [P].
    """

    bounds: Tensor
    row: Tensor
    item: Tensor
    events: Tensor
    age: Tensor
    habit: Tensor


class OwnHistories:
    """Histories, laid end to end, of which the items can be asked for at any event.

    Args:
        items: Catalogue numbers of E events, those of one history side by side [E].
        times: Unix seconds [E].
        offsets: Events of history v are ``offsets[v]:offsets[v + 1]`` [V + 1].
        rule: The session rule.
        device: A torch device string.
    """

    def __init__(
        self,
        items: NDArray[np.integer],
        times: NDArray[np.int64],
        offsets: NDArray[np.int64],
        rule: SessionRule,
        device: torch.device | str,
    ) -> None:
        lengths = np.diff(offsets)
        history = np.repeat(np.arange(len(lengths)), lengths)
        starts = np.repeat(offsets[:-1], lengths)
        order = np.lexsort((np.arange(len(items)), items, history))
        same = (history[order][1:] == history[order][:-1]) & (items[order][1:] == items[order][:-1])
        following = np.full(len(items), _NEVER, np.int64)
        following[order[:-1][same]] = order[1:][same]
        run_start = np.flatnonzero(np.concatenate(([True], ~same))) if len(items) else np.zeros(0, np.int64)
        counts = np.empty(len(items), np.int64)
        counts[order] = np.arange(len(items)) - np.repeat(run_start, np.diff(np.append(run_start, len(items)))) + 1
        breaks = np.concatenate(([0], np.diff(times) > rule.session_gap_s)) if len(items) else np.zeros(0)
        sessions = np.cumsum(breaks).astype(np.int64)

        def moved(values: NDArray[np.integer]) -> Tensor:
            """On the device, with an event of nobody's behind; half the width takes half the time."""
            return torch.from_numpy(np.append(values, 0).astype(np.int32)).to(device)

        self._item = moved(items - 1)
        self._time = torch.from_numpy(np.append(times, 0)).to(device)
        self._start = moved(starts)
        self._following = moved(following)
        self._count = moved(np.searchsorted(COUNT_BOUNDS, counts))
        self._session = moved(sessions)
        event_buckets = np.searchsorted(EVENT_BOUNDS, np.arange(WINDOW))
        self._event_bucket = torch.from_numpy(event_buckets.astype(np.int32)).to(device)
        self._ages = torch.tensor(AGE_BOUNDS, device=device)
        sessions_since = np.arange(SESSION_BOUNDS[-1] + 2)
        habit_rows = np.searchsorted(SESSION_BOUNDS, sessions_since) * (len(COUNT_BOUNDS) + 1)
        self._session_bucket = torch.from_numpy(habit_rows.astype(np.int32)).to(device)
        self._gap = rule.session_gap_s

    def items_at(self, last: Tensor, ask_time: Tensor | None) -> OwnItems:
        """The distinct items of the newest `WINDOW` events up to ``last``.

        Args:
            last: Number of the last event read by each of M askings, -1 for an empty history [M].
            ask_time: Unix seconds of the askings [M]; None when that is not to be known, and counts as at once.
        """
        read = self._time[last]
        now = read if ask_time is None else torch.maximum(ask_time, read)
        session = self._session[last] + (now - read > self._gap)
        last = last.int()
        start = torch.maximum(self._start[last], last - WINDOW + 1)
        lengths = torch.where(last < 0, 0, last - start + 1)
        # index_select throughout: several times faster than indexing on a CPU, and P is large.
        row = torch.repeat_interleave(torch.arange(len(last), dtype=torch.int32, device=last.device), lengths)
        ends = lengths.cumsum(0)
        event = torch.arange(len(row), dtype=torch.int32, device=row.device)
        event += (start - ends + lengths).int().index_select(0, row)
        latest = self._following.index_select(0, event) > last.index_select(0, row)
        chosen = latest.nonzero().squeeze(1)
        row, event = row.index_select(0, chosen), event.index_select(0, chosen)
        counts = torch.cat((latest.new_zeros(1, dtype=torch.int64), latest.cumsum(0)))
        bounds = torch.cat((ends.new_zeros(1), ends))
        seconds = now.index_select(0, row) - self._time.index_select(0, event)
        sessions = session.index_select(0, row) - self._session.index_select(0, event)
        habit = self._session_bucket.index_select(0, sessions.clamp_(max=len(self._session_bucket) - 1))
        return OwnItems(
            counts.index_select(0, bounds).cpu(),
            row,
            self._item.index_select(0, event),
            self._event_bucket.index_select(0, last.index_select(0, row) - event),
            torch.bucketize(seconds, self._ages, out_int32=True),
            habit + self._count.index_select(0, event),
        )


def own_items(
    items: Sequence[NDArray[np.int64]],
    times: Sequence[NDArray[np.int64]],
    ask_times: NDArray[np.int64] | None,
    rule: SessionRule,
    device: torch.device | str,
) -> OwnItems:
    """The items of whole histories, each asked for once.

    Args:
        items: Catalogue numbers of each history, Q arrays [n_q].
        times: Unix seconds, Q arrays [n_q].
        ask_times: Unix seconds of the askings [Q]; None when they are not to be known.
        rule: The session rule.
        device: A torch device string.
    """
    ends = np.cumsum([len(history) for history in items])
    offsets = np.concatenate(([0], ends))
    histories = OwnHistories(np.concatenate(items), np.concatenate(times), offsets, rule, device)
    last = np.where(np.diff(offsets) > 0, ends - 1, -1)
    asked = None if ask_times is None else torch.from_numpy(ask_times).to(device)
    return histories.items_at(torch.from_numpy(last).to(device), asked)
