"""The audit log: who changed what, and who was not let in; never a value."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from hrnn_tuner.client import TuningClient, TuningError
from hrnn_tuner.domain.access import Role
from hrnn_tuner.store import Store
from tests.support.access import client_of
from tests.support.api import NO_RETRIES, Api, running_api, spec_of

MARK = "only-in-a-value"


@pytest.fixture
def guarded(tmp_path: Path, sqlite_store: Store) -> Iterator[Api]:
    with running_api(tmp_path, sqlite_store, authentication="on") as api:
        yield api


def audited(events: list[EventDict]) -> list[tuple[str, ...]]:
    """The lines of the audit log, without principal and peer, which differ each time."""
    lines = [event for event in events if event["event"] in {"call", "refused"} and "outcome" in event]
    assert all(event["peer"].startswith("ipv4:127.0.0.1:") for event in lines)
    return [
        (event["event"], event.get("project", ""), event["method"], event.get("resource", ""), event["outcome"])
        for event in lines
    ]


def test_every_change_is_recorded_with_its_outcome(guarded: Api) -> None:
    with client_of(guarded, "red") as admin, capture_logs() as events:
        admin.create_tuning_job(spec_of("job", tags={"team": MARK}))
        for refused in (
            lambda: admin.create_tuning_job(spec_of("JOB")),
            lambda: admin.create_tuning_job(spec_of("bad", weight=0)),
            lambda: admin.delete_tuning_job("job"),
            lambda: admin.stop_training_job("job-001"),
        ):
            with suppress(TuningError):
                refused()
        admin.tag_tuning_job("job", {"note": MARK})
        admin.untag_tuning_job("job", ["note"])
        admin.stop_tuning_job("job")
        admin.get_tuning_job("job")
        list(admin.list_tuning_jobs())
    assert audited(events) == [
        ("call", "red", "CreateTuningJob", "job", "OK"),
        ("call", "red", "CreateTuningJob", "JOB", "NAME_TAKEN"),
        ("call", "red", "CreateTuningJob", "bad", "INVALID_REQUEST"),
        ("call", "red", "DeleteTuningJob", "job", "FAILED_PRECONDITION"),
        ("call", "red", "StopTrainingJob", "job-001", "NOT_FOUND"),
        ("call", "red", "TagResource", "job", "OK"),
        ("call", "red", "UntagResource", "job", "OK"),
        ("call", "red", "StopTuningJob", "job", "OK"),
    ]
    assert MARK not in str(events)


def test_who_was_not_let_in_is_recorded_without_the_token(guarded: Api) -> None:
    token = f"hrnn_{'0' * 12}_{'s' * 43}"
    with (
        client_of(guarded, "red", Role.READ) as reader,
        TuningClient(guarded.server.address, retry=NO_RETRIES, token=token) as stranger,
        TuningClient(guarded.server.address, retry=NO_RETRIES) as nobody,
        capture_logs() as events,
    ):
        for client in (reader, stranger, nobody):
            with pytest.raises(TuningError):
                client.create_tuning_job(spec_of("job"))
    assert audited(events) == [
        ("refused", "red", "CreateTuningJob", "", "PERMISSION_DENIED"),
        ("refused", "", "CreateTuningJob", "", "TOKEN_INVALID"),
        ("refused", "", "CreateTuningJob", "", "TOKEN_MISSING"),
    ]
    assert token not in str(events)
    assert "s" * 43 not in str(events)
