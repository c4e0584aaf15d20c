"""Frozen values and rules without I/O: search space, objective, job states, limits, errors."""
