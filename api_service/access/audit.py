"""The audit log: one line for each RPC that changes something, and for each caller that was not let in.

It names callers, methods and resources, and never a value of a request.
"""

from __future__ import annotations

from typing import Any

import structlog

from hrnn_tuner.domain.access import Principal

_AUDIT = structlog.get_logger("audit")
_NAME_FIELDS = ("name", "tuning_job_name")
_LONGEST_NAME = 128


def resource_of(request: Any) -> str:
    """Name of the tuning job or training job that a request is about."""
    fields = request.DESCRIPTOR.fields_by_name
    if "tuning_job" in fields:
        return str(request.tuning_job.name)[:_LONGEST_NAME]
    return next((str(getattr(request, name))[:_LONGEST_NAME] for name in _NAME_FIELDS if name in fields), "")


def called(principal: Principal, method: str, resource: str, outcome: str, peer: str) -> None:
    """Records an RPC that changes something; ``outcome`` is OK or the reason of a refusal."""
    _AUDIT.info(
        "call",
        principal=principal.name,
        project=principal.project,
        role=principal.role.value,
        method=method,
        resource=resource,
        outcome=outcome,
        peer=peer,
    )


def refused(principal: Principal | None, method: str, reason: str, peer: str) -> None:
    """Records a caller that was not let in; None when nobody knows who it was."""
    known = {} if principal is None else {"principal": principal.name, "project": principal.project}
    _AUDIT.warning("refused", **known, method=method, outcome=reason, peer=peer)
