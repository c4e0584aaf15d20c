"""What the scheduler writes into a task is what a worker reads out of it."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from hrnn_tuner.broker.contract import Message
from hrnn_tuner.domain.data_channel import DataChannel
from hrnn_tuner.domain.states import SecondaryState
from hrnn_tuner.domain.training_job import Proposal, TrainingJob
from hrnn_tuner.domain.tuning_job import TuningJob
from scheduler_service import convert
from tests.support.tuning import START, make_job, make_spec
from worker_service.convert import parse_task

TEXT = st.text(st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=20)
CHANNELS = st.builds(
    DataChannel,
    uri=TEXT,
    columns=st.dictionaries(TEXT, TEXT, max_size=3),
    event_type=st.none() | TEXT,
    event_value_threshold=st.none() | st.floats(allow_nan=False, allow_infinity=False),
)


@given(channels=st.dictionaries(TEXT, CHANNELS, max_size=3))
def test_a_worker_reads_data_as_the_tuning_job_says(channels: dict[str, DataChannel]) -> None:
    spec = make_spec()
    tuning_job = make_job(replace(spec, definitions=(replace(spec.definitions[0], channels=channels),)))
    sent = convert.task(tuning_job, a_training_job(tuning_job))
    (assignment,) = parse_task(Message(type=sent.type, body=sent.body)).assignments
    assert assignment.channels == channels
    assert assignment.hyperparameters == {"x": 0.5, "flag": True}


def test_the_data_are_split_alike_whatever_the_seed_of_the_search_so_that_a_parents_values_can_be_compared() -> None:
    def split_seed(seed: int) -> int:
        tuning_job = make_job(make_spec(seed=seed))
        sent = convert.task(tuning_job, a_training_job(tuning_job))
        (assignment,) = parse_task(Message(type=sent.type, body=sent.body)).assignments
        return assignment.split_seed

    assert split_seed(1) == split_seed(2)


def a_training_job(tuning_job: TuningJob) -> TrainingJob:
    return TrainingJob(
        tuning_job_id=tuning_job.id,
        number=1,
        name="job-1",
        definition_name="",
        proposal=Proposal({}, "RANDOM", 7),
        hyperparameters={"x": 0.5, "flag": True},
        secondary=SecondaryState.PENDING,
        attempt=1,
        token="secret",
        created_at=START,
    )
