"""Explains a tuning job: what its search has learnt, and why each training job was proposed.

Everything is worked out from the database when it is asked for, so it holds for every strategy, for ended tuning jobs
and for those of earlier versions alike, and is never older than the results.
"""

from api_service.explaining.explanations import Explanation, Explanations

__all__ = ["Explanation", "Explanations"]
