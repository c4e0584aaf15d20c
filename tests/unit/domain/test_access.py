from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrnn_tuner.domain.access import Role, is_project_name
from hrnn_tuner.domain.addresses import is_loopback
from hrnn_tuner.domain.api_token import new_token, parse_token
from tests.support.tuning import START


def test_each_role_includes_those_before_it() -> None:
    allowed = {(one, other) for one in Role for other in Role if one.includes(other)}
    assert allowed == {
        (Role.READ, Role.READ),
        (Role.WRITE, Role.READ),
        (Role.WRITE, Role.WRITE),
        *((Role.ADMIN, role) for role in Role),
    }


@pytest.mark.parametrize(
    ("name", "allowed"),
    [("a", True), ("shop-2", True), ("a" * 32, True), ("", False), ("a" * 33, False), ("-a", False), ("a-", False),
     ("A", False), ("a.b", False), ("a\n", False), ("é", False)],
)  # fmt: skip
def test_projects_have_plain_names(name: str, allowed: bool) -> None:
    assert is_project_name(name) is allowed


def test_a_token_is_opened_by_its_own_secret_until_it_expires() -> None:
    token, text = new_token("shop", Role.WRITE, START, expires_at=START + timedelta(hours=1))
    other, other_text = new_token("shop", Role.WRITE, START)
    parsed, other_parsed = parse_token(text), parse_token(other_text)
    assert parsed is not None
    assert other_parsed is not None
    assert parsed[0] == token.id != other.id
    assert token.opened_by(parsed[1], START)
    assert not token.opened_by(other_parsed[1], START)
    assert not token.opened_by("", START)
    assert not token.opened_by(parsed[1], START + timedelta(hours=1))
    assert parsed[1] not in repr(token)


@given(st.text(max_size=80))
def test_no_other_text_is_a_token(text: str) -> None:
    assert parse_token(text) is None
    assert parse_token(f"hrnn_{text}") is None or len(text) == 56


@pytest.mark.parametrize(
    ("address", "own"),
    [("127.0.0.1:1", True), ("127.9.9.9:1", True), ("[::1]:1", True), ("localhost:1", True), ("unix:/x", True),
     ("ipv4:127.0.0.1:1", True), ("dns:///localhost:1", True), ("0.0.0.0:1", False), ("[::]:1", False), (":1", False),
     ("localhost.example:1", False), ("127.example:1", False), ("10.0.0.1:1", False), ("tuner:1", False),
     ("ipv4:127.0.0.1:1,10.0.0.1:1", False)],
)  # fmt: skip
def test_only_addresses_of_this_machine_are_its_own(address: str, own: bool) -> None:
    assert is_loopback(address) is own
