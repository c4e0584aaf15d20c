"""Checks of a tuning job request: all violations at once, each with its field, its value and what is allowed."""

from api_service.validation.request import Checked, check_tuning_job

__all__ = ["Checked", "check_tuning_job"]
