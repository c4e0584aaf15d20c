"""Messages in which one value is changed, whatever the message."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar, cast

from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

M = TypeVar("M", bound=Message)
_DEEPEST = 6


def each_changed(base: M, value: str | int, depth: int = 0) -> Iterator[M]:
    """A copy of a message for each string that it may hold, at any depth, in lists and in maps, with this value there.

    Args:
        base: The message; what it leaves out is tried, too.
        value: The string; a number is given to enums in place of strings.
        depth: How deep this message lies in others.
    """
    wanted = FieldDescriptor.TYPE_STRING if isinstance(value, str) else FieldDescriptor.TYPE_ENUM
    for field in cast(Descriptor, base.DESCRIPTOR).fields:
        kind = field.message_type
        if kind is None:
            if field.type == wanted:
                message = _copy(base)
                if field.is_repeated:
                    getattr(message, field.name).append(value)
                else:
                    setattr(message, field.name, value)
                yield message
        elif kind.GetOptions().map_entry:
            yield from _each_in_map(base, field, value, depth)
        elif depth < _DEEPEST:
            yield from _each_in_children(base, field, value, depth)


def _each_in_children(base: M, field: FieldDescriptor, value: str | int, depth: int) -> Iterator[M]:
    """The same for a message in it, or for each of several."""
    assert field.message_type is not None
    if not field.is_repeated:
        for child in each_changed(getattr(base, field.name), value, depth + 1):
            message = _copy(base)
            getattr(message, field.name).CopyFrom(child)
            yield message
        return
    for index, old in enumerate(list(getattr(base, field.name)) or [empty(field.message_type)]):
        for child in each_changed(old, value, depth + 1):
            message = _copy(base)
            children = getattr(message, field.name)
            if not children:
                children.add()
            children[index].CopyFrom(child)
            yield message


def _each_in_map(base: M, field: FieldDescriptor, value: str | int, depth: int) -> Iterator[M]:
    """The same for the keys of a map and for the values of another key."""
    assert field.message_type is not None
    item = field.message_type.fields_by_name["value"]
    if isinstance(value, str):
        message = _copy(base)
        if item.message_type is None:
            getattr(message, field.name)[value] = item.default_value
        else:
            getattr(message, field.name)[value].SetInParent()
        yield message
        if item.type == FieldDescriptor.TYPE_STRING:
            message = _copy(base)
            getattr(message, field.name)["a"] = value
            yield message
    if item.message_type is not None and depth < _DEEPEST:
        for child in each_changed(empty(item.message_type), value, depth + 1):
            message = _copy(base)
            getattr(message, field.name)["a"].CopyFrom(child)
            yield message


def _copy(message: M) -> M:
    """An equal message."""
    copied = type(message)()
    copied.CopyFrom(message)
    return copied


def empty(descriptor: Descriptor) -> Any:
    """An empty message of a type."""
    return message_factory.GetMessageClass(descriptor)()
