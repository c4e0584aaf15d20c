"""Time gaps between events and the session signals made of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Columns of the features of an event: scaled gap, session start, long break, first event of the user.
FEATURES = 4
GAP, SESSION_START, LONG_BREAK, FIRST = range(FEATURES)
DAY_S = 86_400
#: Shares of gaps above the session gap between which it is believed (a rule of thumb of the method's authors).
_LEAST_SHARE, _MOST_SHARE = 0.01, 0.60
_FALLBACK_QUANTILE = 0.9


@dataclass(frozen=True)
class SessionRule:
    """When a session starts.

    Attributes:
        session_gap_s: A longer gap starts a session.
        long_break_s: A longer gap is a long break.
        typical_start_gap_s: Median gap before a session start in the training data; stands for the unknown time of a
            request.
    """

    session_gap_s: int
    long_break_s: int
    typical_start_gap_s: int

    @classmethod
    def choose(cls, session_gap_s: int, gaps: NDArray[np.int64]) -> SessionRule:
        """Keeps the wished session gap where it divides the training data sensibly, and otherwise takes a quantile.

        Args:
            session_gap_s: The wished session gap.
            gaps: Seconds between adjacent events of the training users, first events left out [G].
        """
        share = float((gaps > session_gap_s).mean()) if len(gaps) else 0.0
        nonzero = gaps[gaps > 0]
        if len(nonzero) and not _LEAST_SHARE <= share <= _MOST_SHARE:
            session_gap_s = int(np.quantile(nonzero, _FALLBACK_QUANTILE))
        starts = gaps[gaps > session_gap_s]
        typical = int(np.median(starts)) if len(starts) else session_gap_s + 1
        return cls(session_gap_s, max(DAY_S, session_gap_s), typical)

    def features(self, gaps: NDArray[np.int64], first: NDArray[np.bool_]) -> NDArray[np.float32]:
        """The features of events.

        Args:
            gaps: Seconds since the user's previous event, any shape; ignored for first events.
            first: Whether an event is its user's first, same shape. A first event starts no session: there is no
                finished one for the user level to learn from.

        Returns:
            float32, the shape of ``gaps`` with `FEATURES` behind it.
        """
        known = np.where(first, 0, np.maximum(gaps, 0))
        result = np.empty((*gaps.shape, FEATURES), np.float32)
        result[..., GAP] = np.log1p(known / 60.0) / 10.0
        result[..., SESSION_START] = known > self.session_gap_s
        result[..., LONG_BREAK] = known > self.long_break_s
        result[..., FIRST] = first
        return result


def gaps_of(timestamps: NDArray[np.int64]) -> NDArray[np.int64]:
    """Seconds since the previous event of one history [n]; 0 for the first."""
    return np.diff(timestamps, prepend=timestamps[:1])
