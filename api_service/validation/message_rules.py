"""The rules that the .proto files state about single messages, checked by protovalidate."""

from __future__ import annotations

from typing import Any

import protovalidate
from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

from api_service.findings import Findings
from api_service.validation import text_rules
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


def _enum(message: Message, elements: Any) -> EnumDescriptor | None:
    """The enum type of the field that a path leads to, if it is one."""
    owner: Any = message.DESCRIPTOR
    enum = None
    for element in elements:
        field = None if owner is None else owner.fields_by_name.get(element.field_name)
        if field is None:
            return None
        owner, enum = field.message_type, field.enum_type
    return enum


def _scalars(message: Message) -> str:
    """The numbers of a message for people: those that rules about several fields compare."""
    numbers = (FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_INT64, FieldDescriptor.CPPTYPE_DOUBLE)
    fields = [field for field in message.DESCRIPTOR.fields if field.cpp_type in numbers and not field.is_repeated]
    shown = [
        f"{field.name} {getattr(message, field.name)!r}"
        for field in fields
        if not field.has_presence or message.HasField(field.name)
    ]
    lists = [f"{len(value)} {field.name}" for field, value in message.ListFields() if field.is_repeated]
    return ", ".join(shown or lists)


def _shown(value: Any) -> str:
    """A violating value for people: as it is, by its numbers, or by its length."""
    if isinstance(value, Message):
        text = _scalars(value)
    elif isinstance(value, (bool, int, float, str)):
        text = repr(value)
    else:
        text = f"{len(value)} entries"
    shortened = text if len(text) <= _MAX_SHOWN_CHARACTERS else text[:_MAX_SHOWN_CHARACTERS] + "…"
    return f"got {shortened}; " if text else ""


def _described(message: Message, violation: Any) -> str:
    """What was given and what is allowed."""
    proto = violation.proto
    if proto.rule_id == "required":
        return str(proto.message)
    enum = _enum(message, proto.field.elements) if proto.field is not None else None
    if enum is None:
        return f"{_shown(violation.field_value)}{proto.message}"
    names = [value.name for value in enum.values if value.number != 0]
    return f"got {violation.field_value}; allowed: {', '.join(names)}"


def collect(message: Message, findings: Findings) -> None:
    """Adds every violation of a message's own rules."""
    for violation in protovalidate.collect_violations(message):
        proto = violation.proto
        path = _path(proto.field.elements) if proto.field is not None else "request"
        findings.wrong(path, _described(message, violation), proto.rule_id.upper().replace(".", "_") or "INVALID_VALUE")
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
