"""Finds what to launch next; what takes long is made outside of the transactions that launch training jobs."""

from scheduler_service.proposing.next_proposals import Launch, NextProposals
from scheduler_service.proposing.proposer import Proposer

__all__ = ["Launch", "NextProposals", "Proposer"]
