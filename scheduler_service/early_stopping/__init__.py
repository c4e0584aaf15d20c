"""Early stopping of training jobs: rules, one per file, and who applies them."""

from scheduler_service.early_stopping.contract import Decision, Peers, Point, StoppingRule
from scheduler_service.early_stopping.hyperband import HyperbandRule
from scheduler_service.early_stopping.judge import Judge
from scheduler_service.early_stopping.listed_peers import ListedPeers
from scheduler_service.early_stopping.median import MedianRule
from scheduler_service.early_stopping.pause import PauseRule
from scheduler_service.early_stopping.registry import MedianActivation, rule_of

__all__ = [
    "Decision",
    "HyperbandRule",
    "Judge",
    "ListedPeers",
    "MedianActivation",
    "MedianRule",
    "PauseRule",
    "Peers",
    "Point",
    "StoppingRule",
    "rule_of",
]
