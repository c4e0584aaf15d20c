"""A caller sees the tuning jobs of its project, and of another one not even that they exist."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from hrnn_tuner.client import InvalidRequestError, NotFoundError, TuningClient, parse_request
from hrnn_tuner.domain.access import Role
from hrnn_tuner.domain.states import SecondaryState
from hrnn_tuner.domain.training_job import Proposal, TrainingJob
from hrnn_tuner.store import Store
from hrnn_tuner.v1 import tuning_service_pb2 as pb
from hrnn_tuner.v1.tuning_job_pb2 import TUNING_JOB_STATE_IN_PROGRESS
from tests.support.access import bearer, client_of, token_for
from tests.support.api import Api, running_api, spec_of
from tests.support.tuning import START


@dataclass(frozen=True)
class Tenants:
    """Two projects; "red" has a tuning job ``Nightly`` with a training job."""

    api: Api
    red: TuningClient
    blue: TuningClient
    training_job: str


@pytest.fixture
def tenants(tmp_path: Path, store: Store) -> Iterator[Tenants]:
    with (
        running_api(tmp_path, store, authentication="on") as api,
        client_of(api, "red") as red,
        client_of(api, "blue") as blue,
    ):
        red.create_tuning_job(spec_of("Nightly", tags={"team": "red"}))
        yield Tenants(api, red, blue, with_training_job(store, "red", "Nightly"))


def with_training_job(store: Store, project: str, name: str) -> str:
    """Launches a training job the short way; returns its name."""
    with store.write() as tx:
        found = tx.tuning_jobs.by_name(project, name)
        assert found is not None
        change = tx.change(found.id, START)
        assert change is not None
        job = TrainingJob(
            found.id, 1, f"{name}-001-{found.id[-8:]}", "", Proposal({"x": 0.1}, "RANDOM", 1), {"x": 0.1},
            SecondaryState.PENDING, 1, "token", START,
        )  # fmt: skip
        change.launch(job)
        change.write()
        return job.name


CALLS: dict[str, Callable[[TuningClient, str], Any]] = {
    "get": lambda client, _: client.get_tuning_job("nightly"),
    "watch": lambda client, _: next(iter(client.watch_tuning_job("nightly"))),
    "wait": lambda client, _: client.wait("nightly", timeout_s=5),
    "stop": lambda client, _: client.stop_tuning_job("nightly"),
    "delete": lambda client, _: client.delete_tuning_job("nightly"),
    "tag": lambda client, _: client.tag_tuning_job("nightly", {"a": "b"}),
    "untag": lambda client, _: client.untag_tuning_job("nightly", ["team"]),
    "explain": lambda client, _: client.explain_tuning_job("nightly"),
    "recommend": lambda client, _: client.get_tuning_job("nightly").best_training_job.artifact_uri,
    "training jobs": lambda client, _: list(client.list_training_jobs("nightly")),
    "training job": lambda client, name: client.get_training_job(name),
    "stop training job": lambda client, name: client.stop_training_job(name),
    "metrics": lambda client, name: list(client.list_metrics(name)),
}


def test_what_another_project_has_is_not_found(tenants: Tenants) -> None:
    for name, call in CALLS.items():
        with pytest.raises(NotFoundError) as caught:
            call(tenants.blue, tenants.training_job)
        assert caught.value.message.startswith("there is no t"), name
    assert tenants.red.get_tuning_job("nightly").state == TUNING_JOB_STATE_IN_PROGRESS
    assert dict(tenants.red.get_tuning_job("nightly").spec.tags) == {"team": "red"}


def test_lists_show_the_own_project_only_whatever_the_filter(tenants: Tenants) -> None:
    assert list(tenants.blue.list_tuning_jobs()) == []
    assert list(tenants.blue.list_tuning_jobs(name_contains="night", order_by="TUNING_JOB_ORDER_STATE")) == []
    tenants.blue.create_tuning_job(spec_of("own"))
    assert [job.name for job in tenants.blue.list_tuning_jobs()] == ["own"]
    assert [job.name for job in tenants.red.list_tuning_jobs()] == ["Nightly"]


def test_a_page_token_of_another_project_leads_into_the_own_one(tenants: Tenants) -> None:
    tenants.red.create_tuning_job(spec_of("second"))
    tenants.blue.create_tuning_job(spec_of("zebra"))
    stub, request = tenants.api.stub, pb.ListTuningJobsRequest(page_size=1)
    red, blue = (bearer(token_for(tenants.api.store, project, Role.READ)) for project in ("red", "blue"))
    request.page_token = stub.ListTuningJobs(request, metadata=red).next_page_token
    assert [job.name for job in stub.ListTuningJobs(request, metadata=blue).tuning_jobs] == ["zebra"]


def test_a_name_is_free_in_every_project_but_its_own(tenants: Tenants) -> None:
    tenants.blue.create_tuning_job(spec_of("nightly"))
    tenants.blue.stop_tuning_job("NIGHTLY")
    assert tenants.red.get_tuning_job("nightly").state == TUNING_JOB_STATE_IN_PROGRESS


def test_a_request_replayed_by_another_project_is_its_own_request(tenants: Tenants) -> None:
    request = parse_request(spec_of("replayed"))
    request.request_id = str(uuid4())
    made = tenants.red.create_tuning_job(request)
    assert tenants.red.create_tuning_job(request).tuning_job.resume_token == made.tuning_job.resume_token
    other = tenants.blue.create_tuning_job(request)
    assert other.tuning_job.resume_token != made.tuning_job.resume_token
    assert len(list(tenants.blue.list_tuning_jobs())) == 1


def test_a_resume_token_of_another_project_is_refused(tenants: Tenants) -> None:
    tenants.blue.create_tuning_job(spec_of("nightly"))
    token = tenants.red.get_tuning_job("nightly").resume_token
    with pytest.raises(InvalidRequestError) as caught:
        next(iter(tenants.blue.watch_tuning_job("nightly", resume_token=token)))
    assert [item.field for item in caught.value.violations] == ["resume_token"]


def test_a_warm_start_has_no_parents_in_another_project(tenants: Tenants) -> None:
    warm = {
        "parent_tuning_job_names": ["Nightly"],
        "type": "WARM_START_TYPE_IDENTICAL_DATA_AND_ALGORITHM",
    }
    with pytest.raises(InvalidRequestError) as caught:
        tenants.blue.create_tuning_job(spec_of("child", warm_start_config=warm))
    (violation,) = caught.value.violations
    assert "parent_tuning_job_names" in violation.field
    assert "in progress" not in violation.description.lower(), "what red's job does is nobody's business"
