"""A specification goes through the contract's messages and comes back as it was."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from api_service import from_proto, to_proto
from hrnn_tuner.domain.data_channel import DataChannel
from hrnn_tuner.domain.objective import Objective, ObjectiveType
from hrnn_tuner.domain.search_space import CategoricalRange, ContinuousRange, IntegerRange, Scaling, SearchSpace, Value
from hrnn_tuner.domain.tuning_job import ResourceLimits, StrategyName, TrainingJobDefinition, TuningJobSpec
from hrnn_tuner.settings import Settings
from hrnn_tuner.v1 import tuning_job_pb2
from hrnn_tuner.wire_values import from_wire, to_wire
from tests.support.synthetic_algorithm import ALGORITHM

INT64 = st.integers(-(2**63), 2**63 - 1)
DOUBLE = st.floats(allow_nan=False, allow_infinity=False)
TEXT = st.text(st.characters(blacklist_categories=["Cs"]), max_size=20)
NAME = TEXT.filter(bool)
VALUE: st.SearchStrategy[Value] = st.one_of(st.booleans(), INT64, DOUBLE, TEXT)
SCALING = st.sampled_from(Scaling)

STATIC = st.fixed_dictionaries(
    {},
    optional={
        "x": st.floats(0, 1),
        "k": st.integers(1, 10),
        "c": st.sampled_from("abc"),
        "flag": st.booleans(),
        "epoch_seconds": st.floats(0, 60),
    },
)


@st.composite
def spaces(draw: st.DrawFn) -> SearchSpace:
    """Ranges in the order of the messages: integers, numbers, categories."""
    integers = draw(st.lists(st.builds(IntegerRange, NAME, INT64, INT64, SCALING), max_size=3))
    numbers = draw(st.lists(st.builds(ContinuousRange, NAME, DOUBLE, DOUBLE, SCALING), max_size=3))
    choices = st.lists(VALUE, min_size=1, max_size=4).map(tuple)
    categories = draw(st.lists(st.builds(CategoricalRange, NAME, choices), max_size=3))
    return SearchSpace((*integers, *numbers, *categories))


CHANNELS = st.builds(
    DataChannel,
    uri=NAME,
    columns=st.dictionaries(NAME, NAME, max_size=3),
    event_type=st.none() | TEXT,
    event_value_threshold=st.none() | DOUBLE,
)
DEFINITIONS = st.builds(
    TrainingJobDefinition,
    name=TEXT,
    algorithm=st.just(ALGORITHM.name),
    objective=st.builds(Objective, st.sampled_from(ObjectiveType), NAME),
    static_hyperparameters=STATIC,
    default_hyperparameters=st.just(ALGORITHM.defaults()),
    space=spaces(),
    channels=st.dictionaries(NAME, CHANNELS, max_size=3),
    output_uri=NAME,
    resource_class=NAME,
    max_attempts=st.integers(1, 31),
    environment=st.dictionaries(NAME, TEXT, max_size=3),
    max_runtime_s=st.none() | st.integers(1, 2_419_200),
    checkpoint_uri=st.just("") | NAME,
)
SPECS = st.builds(
    TuningJobSpec,
    name=NAME,
    strategy=st.sampled_from(StrategyName),
    limits=st.builds(
        ResourceLimits,
        st.integers(1, 10_000),
        st.integers(1, 100),
        st.none() | st.integers(120, 15_768_000),
    ),
    seed=st.integers(0, 2**63 - 1),
    definitions=st.tuples(DEFINITIONS),
    weight=st.integers(1, 1000),
)


@settings(max_examples=150, deadline=None)
@given(spec=SPECS, tags=st.dictionaries(NAME, TEXT, max_size=3), drawn=st.integers(0, 2**53))
def test_a_specification_comes_back_as_it_was(spec: TuningJobSpec, tags: dict[str, str], drawn: int) -> None:
    sent = to_proto.spec(spec, tags, definitions=True)
    received = tuning_job_pb2.TuningJobSpec.FromString(sent.SerializeToString())
    back = from_proto.domain_spec(
        received,
        algorithm=ALGORITHM,
        max_training_jobs=received.resource_limits.max_number_of_training_jobs,
        seed=drawn,
        settings=Settings(max_attempts=1),
    )
    assert back == spec
    assert repr(back.definitions[0].space) == repr(spec.definitions[0].space), "1 stays 1, and True stays True"
    assert dict(received.tags) == tags


@given(value=VALUE)
def test_a_value_keeps_its_type(value: Value) -> None:
    back = from_wire(to_wire(value))
    assert (type(back), back) == (type(value), value)
