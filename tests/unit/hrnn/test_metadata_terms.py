"""What metadata add to the network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from hrnn_tuner.algorithms import DataChannel
from hrnn_tuner.algorithms.hrnn_metadata import ALGORITHM
from tests.support.planted_metadata import write_planted, write_planted_context
from tests.unit.hrnn.context import ContextFactory, RecordingContext
from worker_service.hrnn.data.dataset import TrainingData, training_data
from worker_service.hrnn.data.metadata.rows import FeatureRows
from worker_service.hrnn.data.queries import Queries
from worker_service.hrnn.network.dropout import Dropout
from worker_service.hrnn.network.features import FeatureBag, FeatureProjection, FeatureShape
from worker_service.hrnn.network.metadata import MetadataShape, MetadataTerms
from worker_service.hrnn.recipes import HRNN_METADATA, Material
from worker_service.hrnn.settings import HrnnSettings
from worker_service.hrnn.training.chunk_loss import chunk_loss
from worker_service.hrnn.training.streams import PADDING, Chunk, chunks, pack
from worker_service.hrnn.training.training_job import HrnnTraining
from worker_service.hrnn.user_history import UserHistory

ROWS = FeatureRows(
    offsets=np.array([0, 2, 2, 3]),
    feature=np.array([0, 3, 1], np.int32),
    weight=np.array([0.5, 0.5, 1.0], np.float32),
    numbers=np.array([[1.0, 0.0], [0.0, 1.0], [-2.0, 0.0]], np.float32),
)


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _randomised(module: torch.nn.Module) -> None:
    generator = _generator(3)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))


def test_a_vector_is_the_weighted_sum_of_categories_and_a_linear_map_of_numbers() -> None:
    projection = FeatureProjection(FeatureShape(4, 2), 3)
    _randomised(projection)
    found = projection(FeatureBag.of(ROWS, "cpu"))
    categories, numbers = projection.categories, projection.numbers
    torch.testing.assert_close(found[0], 0.5 * categories[0] + 0.5 * categories[3] + numbers[0])
    torch.testing.assert_close(found[1], numbers[1])
    torch.testing.assert_close(found[2], categories[1] - 2 * numbers[0])


def test_rows_are_taken_in_any_order_and_the_one_behind_the_last_is_empty() -> None:
    bag = FeatureBag.of(ROWS, "cpu").with_empty_row().take(torch.tensor([2, 3, 0, 0]))
    projection = FeatureProjection(FeatureShape(4, 2), 3)
    _randomised(projection)
    whole = projection(FeatureBag.of(ROWS, "cpu"))
    torch.testing.assert_close(projection(bag), torch.stack([whole[2], torch.zeros(3), whole[0], whole[0]]))


def _terms(*, identified: tuple[bool, ...] = (True, True, False)) -> MetadataTerms:
    terms = MetadataTerms(MetadataShape(FeatureShape(4, 2), None, None, item_values=3), items=3, hidden=2)
    _randomised(terms)
    terms.describe_items(ROWS, np.array(identified))
    return terms


def test_an_items_vector_and_bias_are_its_identitys_and_its_metadatas_or_a_stand_in_for_the_former() -> None:
    terms = _terms()
    assert terms.item is not None
    table, bias = torch.randn(4, 2, generator=_generator()), torch.randn(3, generator=_generator(1))
    items = terms.items(table, bias, None, by_metadata=False)
    added = terms.item(FeatureBag.of(ROWS, "cpu"))
    torch.testing.assert_close(items.item_rows[:2], table[1:3] + added[:2, :2])
    torch.testing.assert_close(items.bias[:2], bias[:2] + added[:2, 2])
    torch.testing.assert_close(items.item_rows[2], terms.stand_in[:2] + added[2, :2])
    torch.testing.assert_close(items.table, torch.cat((table[:1], items.item_rows)))


def test_without_any_identity_only_metadata_tell_outputs_apart_and_inputs_stay() -> None:
    terms = _terms(identified=(True, True, True))
    table, bias = torch.randn(4, 2, generator=_generator()), torch.randn(3, generator=_generator(1))
    items = terms.items(table, bias, None, by_metadata=True)
    assert terms.item is not None
    torch.testing.assert_close(items.item_rows, terms.stand_in[:2] + terms.item(FeatureBag.of(ROWS, "cpu"))[:, :2])
    assert torch.equal(items.table, terms.items(table, bias, None, by_metadata=False).table)


def test_identity_dropout_leaves_out_whole_items_as_outputs_only() -> None:
    terms = MetadataTerms(MetadataShape(None, None, None, item_values=0), items=1000, hidden=2)
    table, bias = torch.ones(1001, 2), torch.ones(1000)
    items = terms.items(table, bias, Dropout(0.0, _generator(), identities=0.3), by_metadata=False)
    assert items.item_rows.sum(dim=1).unique().tolist() == [0.0, 2.0]  # type: ignore[no-untyped-call]
    assert float(items.item_rows[:, 0].detach().mean()) == pytest.approx(0.7, abs=0.05)
    assert torch.equal(items.item_rows[:, 0], items.bias)
    assert torch.equal(items.table, table)


def test_an_item_without_an_identity_passes_no_gradient_to_the_table() -> None:
    terms = _terms()
    table, bias = torch.randn(4, 2, generator=_generator()).requires_grad_(), torch.zeros(3)
    items = terms.items(table, bias, None, by_metadata=False)
    (items.item_rows.sum() + items.table.sum()).backward()  # type: ignore[no-untyped-call]
    assert table.grad is not None
    assert table.grad[3].tolist() == [0.0, 0.0]
    assert table.grad[1].abs().min() > 0


def _material(context: RecordingContext) -> tuple[TrainingData, Material, HrnnSettings]:
    settings = HrnnSettings.from_hyperparameters(context.hyperparameters, ALGORITHM)
    material = HRNN_METADATA.gather(context)
    return training_data(material.interactions, settings, context.split_seed), material, settings


def test_at_the_start_scores_and_loss_are_those_of_hrnn(make_context: ContextFactory, tmp_path: Path) -> None:
    channels = write_planted(tmp_path / "planted").channels("interactions", "users", "items")
    context = make_context(algorithm=ALGORITHM, channels=channels, dropout=0.0)
    data, material, settings = _material(context)
    plain, rich = HrnnTraining(data, settings, context), HrnnTraining(data, settings, context, material.side)
    assert rich.model.metadata is not None
    assert torch.equal(plain.scorer()(data.validation), rich.scorer()(data.validation))
    losses = []
    for training in (plain, rich):
        streams = pack(np.diff(data.positions.offsets), 4, np.random.default_rng(0))
        batch = training._tensors.batch(next(chunks(data.positions.offsets, streams, 8)))
        state = training.model.initial_state(batch.items.shape[1])
        losses.append(chunk_loss(training.model, batch, state, training._loss, None)[0])
    assert torch.equal(*losses)


@pytest.mark.parametrize("cell", ["hrnn", "flat"])
def test_training_evaluation_and_a_live_user_see_the_same_metadata(
    make_context: ContextFactory, tmp_path: Path, cell: str
) -> None:
    channels = write_planted(tmp_path / "planted", events=12).channels("interactions", "users", "items")
    context = make_context(algorithm=ALGORITHM, channels=channels, cell=cell)
    data, material, settings = _material(context)
    training = HrnnTraining(data, settings, context, material.side)
    model = training.model
    with torch.no_grad():
        generator = _generator(2)
        for parameter in model.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=generator))
    side = material.side
    assert side is not None
    assert side.users is not None
    for history in (0, 7, 30):
        steps = slice(*data.positions.offsets[history : history + 2].tolist())
        batch = training._tensors.batch(Chunk(np.arange(steps.start, steps.stop)[:, None]))
        start = model.initial_state(1)
        with torch.no_grad():
            outputs, _ = model.encode(batch.items, batch.features, start, batch.marks, events=batch.events)
            trained = model.scores(outputs[:, 0], batch.target_features, batch.own, asking=batch.asking)
        user = int(data.users[history])
        last = slice(int(data.events_offsets[history]), int(data.events_offsets[history + 1]) - 1)
        items, times = data.events_item[last].astype(np.int64), data.events_time[last]
        queries = Queries(
            items=(items,),
            times=(times,),
            features=(data.positions.features[steps],),
            ask_times=data.positions.target_time[steps][-1:],
            ask_features=data.positions.target_features[steps][-1:],
            truth=(np.array([1]),),
            truth_sizes=np.ones(1, np.int64),
            users=np.array([user]),
            rows=(data.events_row[last],),
        )
        torch.testing.assert_close(training.scorer()(queries)[0], trained[-1])
        known = FeatureBag.of(side.users.rows.take(np.array([user])), "cpu")
        live = UserHistory(model, data.rule, model.items(), known)
        for item, time in zip(items, times, strict=True):
            live.read([int(item)], [int(time)])
        torch.testing.assert_close(live.scores(int(data.positions.target_time[steps][-1])), trained[-1])


def test_the_context_of_events_and_askings_is_that_of_their_rows(make_context: ContextFactory, tmp_path: Path) -> None:
    path = write_planted_context(tmp_path / "context.csv")
    context = make_context(algorithm=ALGORITHM, channels={"interactions": DataChannel(str(path))})
    data, material, settings = _material(context)
    training = HrnnTraining(data, settings, context, material.side)
    steps = np.array([0, 1, PADDING])[:, None]
    batch = training._tensors.batch(Chunk(steps))
    assert batch.events is not None
    assert batch.events.context is not None
    assert batch.asking is not None
    assert batch.asking.context is not None

    def devices(numbers: torch.Tensor) -> list[int]:
        """1 for a phone and 2 for a TV, as the encoding numbers them, by which items are used on which."""
        names = (material.interactions.items[int(data.catalogue[number - 1])] for number in numbers.tolist())
        return [1 if int(name[1:]) % 2 else 2 for name in names]

    assert batch.events.context.feature.tolist() == devices(batch.items[:2, 0])
    assert batch.events.context.offsets.tolist() == [0, 1, 2, 2]  # padding has none
    assert batch.asking.context.feature.tolist() == devices(batch.targets + 1)
