"""A specification goes through the contract's messages and comes back as it was."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from api_service import from_proto, to_proto
from hrnn_tuner.algorithms import AlgorithmRegistry
from hrnn_tuner.domain.completion import CompletionCriteria
from hrnn_tuner.domain.data_channel import DataChannel
from hrnn_tuner.domain.early_stopping import EarlyStoppingType, HyperbandConfig
from hrnn_tuner.domain.objective import Objective, ObjectiveType
from hrnn_tuner.domain.parameter_range import identity
from hrnn_tuner.domain.search_space import (
    CategoricalRange,
    Condition,
    ContinuousRange,
    IntegerRange,
    Scaling,
    SearchSpace,
    Value,
)
from hrnn_tuner.domain.tuning_job import ResourceLimits, StrategyName, TrainingJobDefinition, TuningJobSpec
from hrnn_tuner.domain.warm_start import Parent, WarmStart, WarmStartType
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
    """Ranges in the order of the messages: integers, numbers, categories; some depend on the last category."""
    names = iter(draw(st.lists(NAME, min_size=9, max_size=9, unique=True)))
    choices = st.lists(VALUE, min_size=1, max_size=4, unique_by=identity).map(tuple)
    parent = CategoricalRange(next(names), draw(choices))
    values = st.lists(st.sampled_from(parent.choices), min_size=1, unique_by=identity).map(tuple)
    conditions = st.none() | st.builds(Condition, st.just(parent.name), values)
    points = st.none() | st.integers(2, 1000)
    integers = [
        IntegerRange(next(names), draw(INT64), draw(INT64), draw(SCALING), draw(conditions), draw(points))
        for _ in range(draw(st.integers(0, 3)))
    ]
    numbers = [
        ContinuousRange(next(names), draw(DOUBLE), draw(DOUBLE), draw(SCALING), draw(conditions), draw(points))
        for _ in range(draw(st.integers(0, 3)))
    ]
    categories = [
        CategoricalRange(next(names), draw(choices), draw(conditions)) for _ in range(draw(st.integers(0, 2)))
    ]
    return SearchSpace((*integers, *numbers, *categories, parent))


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
    early_stopping=st.sampled_from(EarlyStoppingType),
    hyperband=st.none() | st.builds(HyperbandConfig, st.integers(1, 100), st.integers(100, 20_000)),
    completion=st.builds(CompletionCriteria, st.none() | DOUBLE, st.none() | st.integers(3, 100), st.booleans()),
    autotune=st.booleans(),
    warm_start=st.none()
    | st.builds(
        WarmStart,
        st.sampled_from(WarmStartType),
        st.lists(st.builds(Parent, id=NAME, name=NAME), min_size=1, max_size=5).map(tuple),
    ),
)


@settings(max_examples=150)
@given(spec=SPECS, tags=st.dictionaries(NAME, TEXT, max_size=3), drawn=st.integers(0, 2**53))
def test_a_specification_comes_back_as_it_was(spec: TuningJobSpec, tags: dict[str, str], drawn: int) -> None:
    sent = to_proto.spec(spec, tags, definitions=True)
    received = tuning_job_pb2.TuningJobSpec.FromString(sent.SerializeToString())
    back = from_proto.domain_spec(
        received,
        algorithms=AlgorithmRegistry([ALGORITHM]),
        max_training_jobs=received.resource_limits.max_number_of_training_jobs,
        max_resource=received.strategy_config.hyperband.max_resource or None,
        seed=drawn,
        settings=Settings(max_attempts=1),
        parents=spec.warm_start.parents if spec.warm_start is not None else (),
    )
    shown = [] if spec.warm_start is None else [parent.name for parent in spec.warm_start.parents]
    assert list(received.warm_start_config.parent_tuning_job_names) == shown
    assert back == spec
    assert repr(back.definitions[0].space) == repr(spec.definitions[0].space), "1 stays 1, and True stays True"
    assert dict(received.tags) == tags


@given(value=VALUE)
def test_a_value_keeps_its_type(value: Value) -> None:
    back = from_wire(to_wire(value))
    assert (type(back), back) == (type(value), value)
