"""The rules that the .proto files state about single messages, checked by protovalidate."""

from __future__ import annotations

from typing import Any

import protovalidate
from google.protobuf.message import Message

from api_service.validation import text_rules
from api_service.validation.findings import Findings
from hrnn_tuner.domain.errors import InvalidRequest

_MAX_SHOWN_CHARACTERS = 100


def _path(elements: Any) -> str:
    """``a.b[0].c["key"]`` from protovalidate's field path."""
    text = ""
    for element in elements:
        text += ("." if text else "") + element.field_name
        subscript = element.subscript
        if subscript is not None:
            shown = f'"{subscript.value}"' if isinstance(subscript.value, str) else str(subscript.value)
            text += f"[{shown}]"
    return text


def _shown(value: Any) -> str:
    """A violating value for people; empty for messages, which have no short form."""
    if not isinstance(value, (bool, int, float, str)):
        return ""
    text = repr(value)
    return f"got {text if len(text) <= _MAX_SHOWN_CHARACTERS else text[:_MAX_SHOWN_CHARACTERS] + '…'}; "


def collect(message: Message, findings: Findings) -> None:
    """Adds every violation of a message's own rules."""
    for violation in protovalidate.collect_violations(message):
        proto = violation.proto
        path = _path(proto.field.elements) if proto.field is not None else "request"
        text = proto.message if proto.rule_id == "required" else f"{_shown(violation.field_value)}{proto.message}"
        findings.wrong(path, text, proto.rule_id.upper().replace(".", "_") or "INVALID_VALUE")
    text_rules.collect(message, findings)


def check(message: Message) -> None:
    """Checks a request that has no other rules.

    Raises:
        InvalidRequest: With all violations.
    """
    findings = Findings()
    collect(message, findings)
    if findings.violations:
        raise InvalidRequest(findings.violations)
