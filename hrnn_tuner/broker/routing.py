"""AMQP's rules for which binding takes which routing key."""

from __future__ import annotations

from functools import lru_cache


def key_matches(kind: str, binding_key: str, routing_key: str) -> bool:
    """Whether an exchange of this kind sends the routing key to the binding.

    Args:
        kind: ``direct``, ``fanout`` or ``topic``.
        binding_key: Key of the binding; for a topic exchange ``*`` is one word, ``#`` any number of words.
        routing_key: Key of the message.

    Raises:
        ValueError: For another kind.
    """
    match kind:
        case "fanout":
            return True
        case "direct":
            return binding_key == routing_key
        case "topic":
            return _words_match(tuple(binding_key.split(".")), tuple(routing_key.split(".")))
        case _:
            raise ValueError(f"exchange kind {kind!r} is not one of direct, fanout, topic")


@lru_cache(maxsize=1024)
def _words_match(pattern: tuple[str, ...], words: tuple[str, ...]) -> bool:
    if not pattern:
        return not words
    head, rest = pattern[0], pattern[1:]
    if head == "#":
        return _words_match(rest, words) or (bool(words) and _words_match(pattern, words[1:]))
    return bool(words) and head in ("*", words[0]) and _words_match(rest, words[1:])
