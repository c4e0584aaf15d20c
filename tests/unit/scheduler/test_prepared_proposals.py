from __future__ import annotations

from dataclasses import replace

import pytest

from hrnn_tuner.domain.training_job import Proposal
from scheduler_service.proposing.prepared import Prepared, Progress

MADE_AT = Progress(launched=10, ended=8)
PROPOSALS = tuple(Proposal({"x": float(number)}, "BAYESIAN", 0) for number in (11, 12, 13))


def prepared(*, seconds: float = 0.3, training_s: float | None = 60.0, exhausted: bool = False) -> Prepared:
    return Prepared(MADE_AT, PROPOSALS, exhausted, seconds, training_s)


def test_proposals_are_handed_out_in_order_as_training_jobs_are_launched() -> None:
    left, first = prepared().take(MADE_AT, 1)
    left, others = left.take(Progress(11, 8), 5)
    assert first is not None
    assert others is not None
    assert (first.proposals, others.proposals) == (PROPOSALS[:1], PROPOSALS[1:])
    assert left.take(Progress(13, 8), 1)[1] is None


def test_what_a_rolled_back_transaction_took_is_handed_out_again() -> None:
    left, _ = prepared().take(MADE_AT, 2)
    _, again = left.take(MADE_AT, 2)
    assert again is not None
    assert again.proposals == PROPOSALS[:2]


def test_nothing_is_handed_out_after_somebody_else_launched() -> None:
    assert prepared().take(Progress(11, 8), 1)[1] is None


@pytest.mark.parametrize(("training_s", "handed_out"), [(None, False), (60.0, False), (6.1, False), (5.9, True)])
def test_a_result_later_a_fresh_proposal_is_waited_for_unless_training_jobs_are_short(
    training_s: float | None, handed_out: bool
) -> None:
    _, ready = prepared(training_s=training_s).take(Progress(10, 9), 1)
    assert (ready is not None) == handed_out


def test_where_training_jobs_run_one_at_a_time_the_latest_result_is_always_known() -> None:
    alone = replace(prepared(training_s=0.01), alone=True)
    assert alone.take(Progress(10, 9), 1)[1] is None


def test_the_end_of_the_space_is_told_with_the_last_proposal_and_after_it() -> None:
    left, some = prepared(exhausted=True).take(MADE_AT, 2)
    left, rest = left.take(Progress(12, 9), 2)
    _, nothing = left.take(Progress(13, 10), 2)
    assert some is not None
    assert rest is not None
    assert nothing is not None
    assert (some.exhausted, rest.exhausted, nothing.exhausted) == (False, True, True)
    assert (len(rest.proposals), len(nothing.proposals)) == (1, 0)
