from __future__ import annotations

import pytest

from api_service.explaining.why import Intent, Origin, intent_of, origin_of
from hrnn_tuner.domain.objective import Objective, ObjectiveType
from hrnn_tuner.domain.search_space import IntegerRange, SearchSpace
from hrnn_tuner.domain.training_job import Proposal
from hrnn_tuner.domain.trial import Trial, TrialStatus
from hrnn_tuner.domain.tuning_job import StrategyName
from scheduler_service.strategies import History, strategy_for

MAXIMIZE = Objective(ObjectiveType.MAXIMIZE, "score")
MINIMIZE = Objective(ObjectiveType.MINIMIZE, "loss")
SPACE = SearchSpace((IntegerRange("k", 1, 100),))
RESULTS = tuple(Trial(number, {"k": number}, TrialStatus.OBSERVED, number / 10) for number in range(1, 13))


def proposed(name: StrategyName, trials: tuple[Trial, ...] = ()) -> Proposal:
    """What a strategy proposes next."""
    (proposal,) = strategy_for(name).propose(History(SPACE, MAXIMIZE, len(trials), trials), [len(trials) + 1], 3)
    return proposal


@pytest.mark.parametrize(
    ("name", "origin"),
    [
        (StrategyName.RANDOM, Origin.RANDOM),
        (StrategyName.HYPERBAND, Origin.RANDOM),
        (StrategyName.SOBOL, Origin.SEQUENCE),
        (StrategyName.GRID, Origin.GRID),
        (StrategyName.BAYESIAN, Origin.START_DESIGN),
    ],
)
def test_every_strategy_has_an_origin_of_its_first_proposal(name: StrategyName, origin: Origin) -> None:
    proposal = proposed(name)
    assert origin_of(proposal) is origin
    assert intent_of(proposal, MAXIMIZE) is Intent.UNSPECIFIED


def test_a_proposal_of_a_model_says_what_it_is_for() -> None:
    proposal = proposed(StrategyName.BAYESIAN, RESULTS)
    assert origin_of(proposal) is Origin.MODEL
    assert intent_of(proposal, MAXIMIZE).value.lower() in proposal.explanation


def test_random_draws_that_replace_a_strategy_that_failed_are_random() -> None:
    assert origin_of(Proposal({}, "RANDOM", 1, "BAYESIAN failed (out of memory); draw 4")) is Origin.RANDOM


def test_the_origin_of_an_unknown_strategy_is_not_made_up() -> None:
    assert origin_of(Proposal({}, "OF_A_LATER_VERSION", 1)) is Origin.UNSPECIFIED


@pytest.mark.parametrize(
    ("objective", "mean", "intent"),
    [
        (MAXIMIZE, 0.6, Intent.EXPLOIT),
        (MAXIMIZE, 0.5, Intent.EXPLORE),
        (MINIMIZE, 0.6, Intent.EXPLORE),
        (MINIMIZE, 0.4, Intent.EXPLOIT),
    ],
)
def test_what_is_predicted_to_be_better_than_the_best_exploits(
    objective: Objective, mean: float, intent: Intent
) -> None:
    figures = {"acquisition_value": -2.0, "predicted_mean": mean, "best_observed": 0.5}
    assert intent_of(Proposal({}, "BAYESIAN", 1, figures=figures), objective) is intent
