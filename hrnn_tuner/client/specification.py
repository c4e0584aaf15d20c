"""Reads a tuning job from proto JSON, with errors that name the line or the field."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, TypeAlias

import grpc
from google.protobuf import descriptor_pool, json_format
from google.protobuf.message import Message

from hrnn_tuner.client.errors import InvalidRequestError, Violation
from hrnn_tuner.v1.tuning_job_pb2 import TuningJobSpec
from hrnn_tuner.v1.tuning_service_pb2 import CreateTuningJobRequest

#: A tuning job: the message, its proto JSON as a dict, or its proto JSON as text.
SpecInput: TypeAlias = TuningJobSpec | Mapping[str, Any] | str

_CHAIN = re.compile(r"Failed to parse (\S+) field: ")
_PLACE = re.compile(r' at "?(?:TuningJobSpec|CreateTuningJobRequest)\.?([\w.\[\]-]*?)"?(?=[.\s]*$|\.\n)')
_UNKNOWN = re.compile(r'Message type "(\S+)" has no field named "(\S*)"')
_ENUM = re.compile(r"Invalid enum value \S+ for enum type (\S+)")


def parse_request(spec: SpecInput | CreateTuningJobRequest) -> CreateTuningJobRequest:
    """Makes a request of whatever describes a tuning job.

    Args:
        spec: A `TuningJobSpec` or a `CreateTuningJobRequest`, as a message, a dict or text in proto JSON. Field names
            are accepted in snake_case and in camelCase.

    Raises:
        InvalidRequestError: When it is no JSON (with line and column) or does not fit the message (with the field).
    """
    if isinstance(spec, CreateTuningJobRequest):
        copy = CreateTuningJobRequest()
        copy.CopyFrom(spec)
        return copy
    if isinstance(spec, TuningJobSpec):
        return CreateTuningJobRequest(tuning_job=spec)
    document = _load(spec) if isinstance(spec, str) else spec
    if not isinstance(document, Mapping):
        raise _invalid("", f"expected a JSON object, got {type(document).__name__}")
    if "tuning_job" in document or "tuningJob" in document:
        request = CreateTuningJobRequest()
        _fill(document, request)
        return request
    tuning_job = TuningJobSpec()
    _fill(document, tuning_job)
    return CreateTuningJobRequest(tuning_job=tuning_job)


def _load(text: str) -> object:
    """Parses JSON; a key that comes twice is an error, because one of its values would be lost."""
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        raise _invalid(f"line {error.lineno}, column {error.colno}", error.msg) from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Builds one JSON object."""
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise _invalid(key, "comes twice in the same object")
        result[key] = value
    return result


def _fill(document: Mapping[str, Any], message: Message) -> None:
    """Converts a dict; protobuf's one-line message is taken apart into field and description."""
    try:
        json_format.ParseDict(dict(document), message)
    except json_format.ParseError as error:
        text = str(error)
        place = _PLACE.search(text)
        path = place[1] if place and place[1] else ".".join(_CHAIN.findall(text))
        if unknown := _UNKNOWN.search(text):
            names = ", ".join(
                field.name for field in descriptor_pool.Default().FindMessageTypeByName(unknown[1]).fields
            )
            raise _invalid(f"{path}.{unknown[2]}".lstrip("."), f"no such field; fields here: {names}") from error
        description = _PLACE.sub("", _CHAIN.sub("", text)).rstrip(". ")
        raise _invalid(path, description + _allowed(text)) from error


def _allowed(text: str) -> str:
    """The names that an enum field takes, when that is what was wrong."""
    match = _ENUM.search(text)
    if match is None:
        return ""
    enum = descriptor_pool.Default().FindEnumTypeByName(match[1])
    return "; allowed: " + ", ".join(value.name for value in enum.values if value.number)


def _invalid(field: str, description: str) -> InvalidRequestError:
    """One violation, found before anything was sent."""
    return InvalidRequestError(
        "the tuning job cannot be read",
        code=grpc.StatusCode.INVALID_ARGUMENT,
        reason="MALFORMED_SPECIFICATION",
        violations=[Violation(field or "(document)", description)],
    )
