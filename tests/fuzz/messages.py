"""Protobuf messages of any type, made from their descriptors: well-formed or not, meaningful or not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from hypothesis import strategies as st

_DEEPEST = 5
_INTEGERS = (0, 1, -1, 2, 3, 10, 100, 101, 2**31 - 1, -(2**31), 2**53, 2**63 - 1, -(2**63))
_REALS = (0.0, -0.0, 1.0, -1.0, 0.5, 1e-320, 1e308, math.inf, -math.inf, math.nan)
#: Texts that mean something somewhere: to a shell, a file system, a database, a log, a terminal, a number parser.
_TEXTS = (
    *("", "a", "x" * 33, "x" * 5000, "\0", "a\0b", "\n", "a\r\nb", "\x1b[2J", "%s%n", "{0}", "'; DROP TABLE jobs;--"),
    *("../..", "/etc/passwd", "file:///etc/passwd", "s3://", "zip::x", "*", "NaN", "-1", "1e999", "true"),
    *("\u0131", "\u0130", "\u00df", "\u202e", "\u2028", "\U0001f600", "\ue000"),
    *(
        "aws-hrnn",
        "hrnn",
        "synthetic",
        "x",
        "k",
        "c",
        "flag",
        "epochs",
        "score",
        "default",
        "interactions",
        "job",
        "JOB",
    ),
)
_RANGES = {
    FieldDescriptor.TYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_SINT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_SFIXED32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.TYPE_FIXED32: (0, 2**32 - 1),
    FieldDescriptor.TYPE_UINT64: (0, 2**64 - 1),
    FieldDescriptor.TYPE_FIXED64: (0, 2**64 - 1),
    FieldDescriptor.TYPE_ENUM: (-(2**31), 2**31 - 1),
}
_SIGNED_64 = (-(2**63), 2**63 - 1)


def texts(known: Sequence[str] = ()) -> st.SearchStrategy[str]:
    """Any text; often one that means something, or one of those that the receiver knows."""
    return st.sampled_from([*_TEXTS, *known]) | st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def scalars(field: FieldDescriptor, known: Sequence[str] = ()) -> st.SearchStrategy[Any]:
    """Any value of a scalar field."""
    if field.type == FieldDescriptor.TYPE_STRING:
        return texts(known)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return st.binary(max_size=50)
    if field.type == FieldDescriptor.TYPE_BOOL:
        return st.booleans()
    if field.type in {FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FLOAT}:
        return st.sampled_from(_REALS) | st.floats(width=64 if field.type == FieldDescriptor.TYPE_DOUBLE else 32)
    low, high = _RANGES.get(field.type, _SIGNED_64)
    edges = [value for value in _INTEGERS if low <= value <= high]
    if field.enum_type is not None:
        edges += [item.number for item in field.enum_type.values] * 3
    return st.sampled_from(edges) | st.integers(low, high)


def mutate(message: Message, draw: Any, known: Sequence[str] = (), depth: int = 0) -> None:
    """Changes one thing in a message, at any depth: sets, clears or repeats a field."""
    fields = list(message.DESCRIPTOR.fields)
    if not fields:
        return
    filled = [field for field, _ in message.ListFields()]
    field = draw(st.sampled_from(filled if filled and draw(st.integers(0, 3)) else fields))
    if draw(st.integers(0, 9)) == 0:
        message.ClearField(field.name)
    elif field.message_type is not None and field.message_type.GetOptions().map_entry:
        _mutate_map(message, field, draw, known, depth)
    elif field.is_repeated:
        _mutate_list(getattr(message, field.name), field, draw, known, depth)
    elif field.message_type is not None:
        child = getattr(message, field.name)
        child.SetInParent()
        if depth < _DEEPEST:
            mutate(child, draw, known, depth + 1)
    else:
        setattr(message, field.name, draw(scalars(field, known)))


def _mutate_map(message: Message, field: FieldDescriptor, draw: Any, known: Sequence[str], depth: int) -> None:
    entries = getattr(message, field.name)
    assert field.message_type is not None
    key_field, value_field = field.message_type.fields_by_name["key"], field.message_type.fields_by_name["value"]
    keys = sorted(entries)
    key = draw(st.sampled_from(keys)) if keys and draw(st.booleans()) else draw(scalars(key_field, known))
    if value_field.message_type is None:
        entries[key] = draw(scalars(value_field, known))
    elif depth < _DEEPEST:
        mutate(entries[key], draw, known, depth + 1)


def _mutate_list(values: Any, field: FieldDescriptor, draw: Any, known: Sequence[str], depth: int) -> None:
    if field.message_type is None:
        values.extend(draw(st.lists(scalars(field, known), min_size=1, max_size=3)))
        return
    choice = draw(st.integers(0, 9))
    if not values or choice == 0:
        values.add()
    elif choice == 1:
        values.add().CopyFrom(values[0])
    if depth < _DEEPEST:
        mutate(values[draw(st.integers(0, len(values) - 1))], draw, known, depth + 1)


@st.composite
def bodies(draw: st.DrawFn, seeds: Sequence[Message], known: Sequence[str] = ()) -> bytes:
    """Serialized messages: some seed with a few changes, at times with damaged bytes; or any bytes."""
    kind = draw(st.integers(0, 19))
    if kind == 0:
        return draw(st.binary(max_size=200))
    seed = draw(st.sampled_from(list(seeds)))
    message = type(seed)()
    message.CopyFrom(seed)
    for _ in range(draw(st.integers(0, 4))):
        mutate(message, draw, known)
    body = message.SerializeToString()
    if kind == 1 and body:
        place = draw(st.integers(0, len(body) - 1))
        body = body[:place] + draw(st.binary(max_size=3)) + body[place + draw(st.integers(0, 2)) :]
    return body
