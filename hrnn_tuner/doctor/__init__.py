"""Looks at everything that an installation needs, from where it is called, and says what to do about what is wrong."""

from hrnn_tuner.doctor.api import Server
from hrnn_tuner.doctor.checks import installation_checks
from hrnn_tuner.doctor.contract import Check, Finding, Severity
from hrnn_tuner.doctor.examination import examine

__all__ = ["Check", "Finding", "Server", "Severity", "examine", "installation_checks"]
