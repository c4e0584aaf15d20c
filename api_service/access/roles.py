"""The role that each RPC needs. A test checks that every RPC of the contract is here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from hrnn_tuner.domain.access import Role

NEEDED_ROLES: Mapping[str, Role] = MappingProxyType(
    {
        "CreateTuningJob": Role.WRITE,
        "GetTuningJob": Role.READ,
        "ListTuningJobs": Role.READ,
        "StopTuningJob": Role.WRITE,
        "DeleteTuningJob": Role.ADMIN,
        "WatchTuningJob": Role.READ,
        "ExplainTuningJob": Role.READ,
        "GetTrainingJob": Role.READ,
        "ListTrainingJobLogs": Role.READ,
        "ListTrainingJobs": Role.READ,
        "StopTrainingJob": Role.WRITE,
        "ListMetrics": Role.READ,
        "ListAlgorithms": Role.READ,
        "GetAlgorithm": Role.READ,
        "TagResource": Role.WRITE,
        "UntagResource": Role.WRITE,
    }
)


def changes(method: str) -> bool:
    """Whether an RPC changes anything, so that the audit log has it."""
    return NEEDED_ROLES[method] is not Role.READ
