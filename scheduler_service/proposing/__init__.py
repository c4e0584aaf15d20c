"""Makes proposals that take long outside of the transactions that launch training jobs."""

from scheduler_service.proposing.prepared import Progress, Ready
from scheduler_service.proposing.proposer import Proposer

__all__ = ["Progress", "Proposer", "Ready"]
