"""Tuning jobs that learn from earlier ones, through the API."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from hrnn_tuner.client import InvalidRequestError
from hrnn_tuner.domain.clock import utc_now
from hrnn_tuner.domain.states import FailureCause
from hrnn_tuner.domain.training_job import PAUSED, Proposal, TrainingJob
from hrnn_tuner.domain.tuning_job import StrategyName
from hrnn_tuner.store import Store
from hrnn_tuner.v1 import tuning_job_pb2
from tests.support.api import CSV, Api, definition_of, hrnn_spec_of, running_api, spec_of
from tests.support.bad_requests import JOBS, categories, integers, limits, numbers
from tests.support.tuning_life import complete, finish, launch, start

CONFIG = "tuning_job.warm_start_config"
IDENTICAL = "WARM_START_TYPE_IDENTICAL_DATA_AND_ALGORITHM"
TRANSFER = "WARM_START_TYPE_TRANSFER_LEARNING"
VALUES = (0.1, 0.4, 0.2, 0.4)


def ended(api: Api, name: str = "parent", values: Sequence[float] = VALUES, **definition: Any) -> str:
    """A tuning job that has run to its end; returns its id."""
    spec = spec_of(name, **limits(len(values)))
    definition_of(spec).update(definition)
    job_id = api.client.create_tuning_job(spec).tuning_job.id
    complete(api.store, job_id, values)
    return job_id


def child_of(*parents: str, kind: str = TRANSFER, **fields: Any) -> dict[str, Any]:
    """A request that learns from parents; ``definition`` overrides fields of its definition."""
    definition = fields.pop("definition", {})
    spec = spec_of("child") | {"warm_start_config": {"parent_tuning_job_names": list(parents), "type": kind}} | fields
    definition_of(spec).update(definition)
    return spec


def refused(api: Api, spec: dict[str, Any]) -> list[tuple[str, str]]:
    """Why a request is refused, as (field, description)."""
    with pytest.raises(InvalidRequestError) as caught:
        api.client.create_tuning_job(spec)
    return [(item.field, item.description) for item in caught.value.violations]


def parent(index: int = 0) -> str:
    return f"{CONFIG}.parent_tuning_job_names[{index}]"


def test_the_answer_shows_the_parents_by_their_names(api_on_each_database: Api) -> None:
    api = api_on_each_database
    ended(api, "First")
    ended(api, "second")
    created = api.client.create_tuning_job(child_of("first", "SECOND")).tuning_job
    config = api.client.get_tuning_job("child").spec.warm_start_config
    assert list(config.parent_tuning_job_names) == ["First", "second"]
    assert config.type == tuning_job_pb2.WARM_START_TYPE_TRANSFER_LEARNING
    assert created.spec.warm_start_config == config
    assert not created.HasField("overall_best_training_job"), "other data cannot be compared"


def test_the_overall_best_may_be_a_parents(api_on_each_database: Api) -> None:
    api = api_on_each_database
    ended(api, "worse", (0.1, 0.2))
    ended(api, "better", (0.3, 0.8))
    created = api.client.create_tuning_job(child_of("worse", "better", kind=IDENTICAL)).tuning_job
    overall = created.overall_best_training_job
    assert (overall.tuning_job_name, overall.number, overall.final_objective_value) == ("better", 2, 0.8)
    assert overall.artifact_uri == "/artifacts/2"
    assert not created.HasField("best_training_job")
    launch(api.store, created.id, 2)
    for number, value in ((1, 0.8), (2, 0.9)):
        start(api.store, created.id, number)
        finish(api.store, created.id, number, value)
        shown = api.client.get_tuning_job("child").overall_best_training_job.tuning_job_name
        assert shown == ("child" if value > 0.8 else "better"), "ties go to the parents"


def test_what_is_copied_survives_the_parent_and_another_of_its_name(api_on_each_database: Api) -> None:
    api = api_on_each_database
    parent_id = ended(api)
    child = api.client.create_tuning_job(child_of("parent", kind=IDENTICAL)).tuning_job
    with api.store.read() as tx:
        before = tx.parents.results(child.id)
    with api.store.write() as tx:
        tx.tuning_jobs.delete(parent_id)
    ended(api, "parent", (0.9, 0.95))
    with api.store.read() as tx:
        assert tx.parents.results(child.id) == before
    assert [(result.number, result.value) for result in before[0]] == [(1, 0.1), (2, 0.4), (3, 0.2), (4, 0.4)]
    shown = api.client.get_tuning_job("child").overall_best_training_job
    assert (shown.number, shown.final_objective_value) == (2, 0.4)
    with api.store.write() as tx:
        tx.tuning_jobs.delete(child.id)
    with api.store.read() as tx:
        assert tx.parents.of(child.id) == []


def test_watch_and_list_show_the_overall_best_as_get_does(api: Api) -> None:
    ended(api)
    child = api.client.create_tuning_job(child_of("parent", kind=IDENTICAL, **limits(2))).tuning_job
    complete(api.store, child.id, [0.3, 0.5])
    shown = [
        event.tuning_job.overall_best_training_job.final_objective_value
        for event in api.client.watch_tuning_job("child")
        if event.HasField("tuning_job")
    ]
    assert shown[0] == 0.4
    assert shown[-1] == 0.5
    assert shown == sorted(shown)
    (listed,) = [job for job in api.client.list_tuning_jobs() if job.name == "child"]
    assert listed.overall_best_training_job == api.client.get_tuning_job("child").overall_best_training_job


def test_validating_shows_the_overall_best_and_copies_nothing(api: Api) -> None:
    ended(api)
    answer = api.client.create_tuning_job(child_of("parent", kind=IDENTICAL), validate_only=True)
    assert answer.tuning_job.overall_best_training_job.number == 2
    with api.store.read() as tx:
        assert tx.parents.of(answer.tuning_job.id) == []


def test_a_parents_own_parents_do_not_count(api: Api) -> None:
    ended(api, "grandparent", (0.99,))
    middle = api.client.create_tuning_job(child_of("grandparent", kind=IDENTICAL, name="middle", **limits(1)))
    complete(api.store, middle.tuning_job.id, [0.5])
    child = api.client.create_tuning_job(child_of("middle", kind=IDENTICAL)).tuning_job
    assert child.overall_best_training_job.final_objective_value == 0.5
    with api.store.read() as tx:
        assert [[result.value for result in results] for results in tx.parents.results(child.id)] == [[0.5]]


def test_all_mistakes_in_the_parents_are_listed_at_once(api: Api) -> None:
    ended(api)
    api.client.create_tuning_job(spec_of("running"))
    found = refused(api, child_of("nobody", "parent", "PARENT", "child", "running", weight=0))
    allowed = "allowed: names of tuning jobs that are COMPLETED, FAILED or STOPPED"
    assert found == [
        ("tuning_job.weight", "got 0; must be greater than or equal to 1 and less than or equal to 1000"),
        (parent(0), f"there is no tuning job named 'nobody'; {allowed}"),
        (parent(2), "got 'PARENT' twice; allowed: different names"),
        (parent(3), "got 'child'; a tuning job cannot learn from itself"),
        (
            parent(4),
            "'running' is IN_PROGRESS; allowed: tuning jobs that are COMPLETED, FAILED or STOPPED",
        ),
    ]
    assert api.names == ["parent", "running"], "nothing was stored"


def test_all_mismatches_with_one_parent_are_listed_at_once(api: Api) -> None:
    ended(api, static_hyperparameters={"epochs": {"integer_value": 2}, "c": {"string_value": "a"}})
    definition = {
        "objective": {"type": "OBJECTIVE_TYPE_MINIMIZE", "metric_name": "score"},
        "parameter_ranges": numbers() | categories("k"),
        "static_hyperparameters": {"epochs": {"integer_value": 2}, "flag": {"bool_value": True}},
    }
    definition["parameter_ranges"]["categorical_parameter_ranges"][0]["values"] = [
        {"integer_value": value} for value in (1, 2, 3)
    ]
    found = refused(api, child_of("parent", definition=definition))
    assert [field for field, _ in found] == [parent(0)] * 3
    assert [text for _, text in found] == [
        "'parent' has the objective MAXIMIZE score; allowed: the same objective metric and type",
        "'parent' cannot be a parent: the set of tunable plus static hyperparameter names is not the same; "
        "missing here: c; not in the parent: flag; allowed: the same names, static or tuned",
        "'parent' tunes k with another kind of range; allowed: the same kind",
    ]


def test_another_algorithm_is_refused(api: Api) -> None:
    ended(api)
    (api.data / "a.csv").write_text(CSV)
    spec = hrnn_spec_of("child", ("interactions", api.data / "a.csv"))
    spec["warm_start_config"] = {"parent_tuning_job_names": ["parent"], "type": TRANSFER}
    assert refused(api, spec) == [
        (parent(0), "'parent' tunes algorithm 'synthetic', not 'hrnn'; allowed: the same"),
    ]


STATIC_VALUES: dict[str, dict[str, Any]] = {
    "epochs": {"integer_value": 2},
    "epoch_seconds": {"double_value": 0.0},
    "fail": {"string_value": "none"},
    "c": {"string_value": "a"},
    "flag": {"bool_value": False},
}


def test_more_than_ten_changes_are_refused_and_ten_are_not(api: Api) -> None:
    ended(api, static_hyperparameters=STATIC_VALUES)
    four = {"epochs": {"integer_value": 3}, "epoch_seconds": {"double_value": 1.0}, "fail": {"string_value": "nan"}}
    four["c"] = {"string_value": "b"}
    ten = {"static_hyperparameters": STATIC_VALUES | four | {"flag": {"bool_value": True}}}
    eleven = {
        "static_hyperparameters": ten["static_hyperparameters"] | {"k": {"integer_value": 3}},
        "parameter_ranges": numbers(),
    }
    ((field, text),) = refused(api, child_of("parent", definition=eleven))
    assert field == parent(0)
    assert text.startswith("'parent' differs in 11 changes: c (static, 'a' there and 'b' here: 2), epoch_seconds ")
    assert text.endswith("k (tuned there and static here: 1); allowed: 10")
    api.client.create_tuning_job(child_of("parent", definition=ten))


def test_ranges_may_change_and_a_tuned_hyperparameter_may_become_static(api: Api) -> None:
    ended(api)
    static = definition_of(spec_of())["static_hyperparameters"] | {"k": {"integer_value": 3}}
    definition = {"parameter_ranges": numbers(low=0.2, high=0.4), "static_hyperparameters": static}
    api.client.create_tuning_job(child_of("parent", kind=IDENTICAL, definition=definition))


def test_identical_data_means_the_same_channels(api: Api) -> None:
    for name in ("a.csv", "b.csv"):
        (api.data / name).write_text(CSV)
    first = api.client.create_tuning_job(hrnn_spec_of("parent", ("interactions", api.data / "a.csv"))).tuning_job
    complete(api.store, first.id, VALUES)

    def child(file: str, kind: str) -> dict[str, Any]:
        spec = hrnn_spec_of("child", ("interactions", api.data / file))
        return spec | {"warm_start_config": {"parent_tuning_job_names": ["parent"], "type": kind}}

    assert refused(api, child("b.csv", IDENTICAL)) == [
        (parent(0), f"'parent' has other data in the channels interactions; allowed: the same, or {TRANSFER}")
    ]
    api.client.create_tuning_job(child("b.csv", TRANSFER), validate_only=True)
    api.client.create_tuning_job(child("a.csv", IDENTICAL), validate_only=True)


def test_the_parents_training_jobs_count_against_the_quota(tmp_path: Path, sqlite_store: Store) -> None:
    with running_api(tmp_path, sqlite_store, max_training_jobs_limit=9, max_training_jobs_limit_random=9) as api:
        ended(api, "one")
        ended(api, "two", (0.5,))
        found = refused(api, child_of("one", "two", **limits(5)))
        assert found == [(JOBS, "got 5 beside the 5 of the warm-start parents; allowed: at most 4")]
        api.client.create_tuning_job(child_of("one", "two", **limits(4)))


@pytest.mark.parametrize("names", [[], [f"p{index}" for index in range(6)]], ids=["none", "six"])
def test_there_are_one_to_five_parents(shared_api: Api, names: list[str]) -> None:
    fields = {field for field, _ in refused(shared_api, child_of(*names))}
    assert f"{CONFIG}.parent_tuning_job_names" in fields


def test_the_type_of_a_warm_start_must_be_given(shared_api: Api) -> None:
    fields = [field for field, _ in refused(shared_api, child_of("p", kind="WARM_START_TYPE_UNSPECIFIED"))]
    assert fields == [f"{CONFIG}.type", parent(0)]


def test_several_definitions_have_no_warm_start(api: Api) -> None:
    ended(api)
    spec = child_of("parent")
    spec["training_job_definitions"].append(definition_of(spec) | {"definition_name": "b"})
    assert (CONFIG, "got 2 training job definitions; allowed with a warm start: 1") in refused(api, spec)


@pytest.mark.parametrize("strategy", [name.value for name in StrategyName])
def test_strategies_that_do_not_learn_are_accepted_with_a_warning(api: Api, strategy: str) -> None:
    ended(api, parameter_ranges=categories("c", *"abc") | integers())
    static = definition_of(spec_of())["static_hyperparameters"] | {"k": {"integer_value": 3}}
    definition = {"parameter_ranges": categories("c", *"abc"), "static_hyperparameters": static}
    spec = child_of("parent", definition=definition, strategy=f"STRATEGY_{strategy}", **limits(3))
    answer = api.client.create_tuning_job(spec, validate_only=True)
    expected = {
        "GRID": ["STRATEGY_GRID does not look at warm-start parents"],
        "BAYESIAN": [],
        "BAYESIAN_ASHA": [],
    }
    draws = [f"STRATEGY_{strategy} learns nothing from warm-start parents but what need not be tried again"]
    assert list(answer.warnings) == expected.get(strategy, draws)


def test_another_environment_is_refused_without_showing_it(api: Api) -> None:
    ended(api, environment={"LOCALE": "one", "SAME": "x"})
    found = refused(api, child_of("parent", definition={"environment": {"LOCALE": "two", "SAME": "x", "MORE": "y"}}))
    ((field, text),) = found
    assert field == parent(0)
    assert text.startswith(
        "'parent' has another environment, which differs in LOCALE, MORE; only these fields of a training job "
        "definition may differ: parameter_ranges, static_hyperparameters, data_channels, "
    )


def test_what_was_stopped_without_a_value_is_not_copied_and_what_paused_is_no_whole_result(
    api_on_each_database: Api,
) -> None:
    api = api_on_each_database
    spec = spec_of("parent", **limits(9)) | {"strategy": "STRATEGY_ASHA"}
    definition_of(spec)["static_hyperparameters"]["epochs"] = {"integer_value": 9}
    job_id = api.client.create_tuning_job(spec).tuning_job.id
    store = api.store

    def pause(number: int, x: float, value: float, until: int, continues: int = 0) -> None:
        launch(store, job_id, 1, proposal=Proposal({"x": x}, "ASHA", 1, continues=continues, until_epoch=until))
        start(store, job_id, number)
        end(number, lambda job, now: job.stopped_early(PAUSED, "at its level", now))
        end(number, lambda job, now: job.kept(value, {"score": value}, "/artifacts", now))

    def end(number: int, how: Callable[[TrainingJob, datetime], TrainingJob]) -> None:
        with store.write() as tx:
            change = tx.change(job_id, utc_now())
            assert change is not None
            before = change.training_job(number)
            assert before is not None
            change.put(before, how(before, change.now))
            change.write()

    pause(1, 0.1, 0.2, until=1)
    pause(2, 0.5, 0.4, until=1)
    pause(3, 0.5, 0.7, until=3, continues=2)
    launch(store, job_id, 1, proposal=Proposal({"x": 0.5}, "ASHA", 1, continues=3, until_epoch=9))
    start(store, job_id, 4)
    finish(store, job_id, 4, 0.9)
    launch(store, job_id, 2)
    start(store, job_id, 5)
    end(5, lambda job, now: job.failed(FailureCause.ALGORITHM_ERROR, "diverged", now))
    api.client.stop_tuning_job("parent")
    child = api.client.create_tuning_job(child_of("parent", kind=IDENTICAL)).tuning_job
    with store.read() as tx:
        (found,) = tx.parents.results(child.id)
    assert [(result.number, result.value, result.whole) for result in found] == [
        (1, 0.2, False),
        (4, 0.9, True),
        (5, None, True),
    ]


def test_a_parent_without_a_value_is_a_warning(api: Api) -> None:
    api.client.create_tuning_job(spec_of("parent"))
    api.client.stop_tuning_job("parent")
    answer = api.client.create_tuning_job(child_of("parent", kind=IDENTICAL))
    assert "parent 'parent' has no training job with an objective value: nothing is learnt from it" in answer.warnings
    assert not answer.tuning_job.HasField("overall_best_training_job")


def test_a_parent_that_is_being_deleted_is_refused(api: Api) -> None:
    ended(api)
    api.client.delete_tuning_job("parent")
    ((field, text),) = refused(api, child_of("parent"))
    assert field == parent(0)
    assert text.startswith("'parent' is being deleted")


def test_a_parent_that_is_deleted_while_the_request_is_checked_is_refused(tmp_path: Path, sqlite_store: Store) -> None:
    doomed: list[str] = []

    def clock() -> datetime:
        """The time is asked for between the checks and the copy."""
        while doomed:
            with sqlite_store.write() as tx:
                tx.tuning_jobs.delete(doomed.pop())
        return utc_now()

    with running_api(tmp_path, sqlite_store, clock=clock) as api:
        parent_id = ended(api)
        doomed.append(parent_id)
        assert refused(api, child_of("parent")) == [(parent(0), "'parent' was deleted just now")]
        assert api.names == []
