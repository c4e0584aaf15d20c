"""The environment of one training job."""

from __future__ import annotations

import os

import pytest

from worker_service.environment import environment


def test_variables_are_set_inside_and_restored_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEPT", "old")
    monkeypatch.delenv("ADDED", raising=False)
    with environment({"KEPT": "new", "ADDED": "1"}):
        assert (os.environ["KEPT"], os.environ["ADDED"]) == ("new", "1")
    assert os.environ["KEPT"] == "old"
    assert "ADDED" not in os.environ


def test_what_the_code_inside_changed_is_undone_even_when_it_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REMOVED", "here")
    before = dict(os.environ)

    def fail() -> None:
        del os.environ["REMOVED"]
        os.environ["LEFT"] = "behind"
        raise ValueError

    with pytest.raises(ValueError), environment({}):  # noqa: PT011 - raised by this test itself
        fail()
    assert dict(os.environ) == before
