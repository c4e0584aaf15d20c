from __future__ import annotations

import numpy as np
import pytest
import torch

from worker_service.hrnn.data.dataset import Positions
from worker_service.hrnn.data.sessions import FEATURES, FIRST
from worker_service.hrnn.network.loss import full_softmax_loss
from worker_service.hrnn.network.model import HrnnModel, ModelShape
from worker_service.hrnn.training.batches import TrainingTensors
from worker_service.hrnn.training.chunk_loss import chunk_loss
from worker_service.hrnn.training.streams import PADDING, chunks, pack, stream_count

LENGTHS = np.array([5, 1, 9, 3, 3, 7, 2, 8], np.int64)
OFFSETS = np.concatenate(([0], np.cumsum(LENGTHS)))


def _positions() -> Positions:
    total = int(OFFSETS[-1])
    rng = np.random.default_rng(0)
    features = np.zeros((total, FEATURES), np.float32)
    features[OFFSETS[:-1], FIRST] = 1.0
    return Positions(
        offsets=OFFSETS,
        item=rng.integers(1, 10, total),
        features=features,
        target=rng.integers(1, 10, total),
        target_features=np.zeros((total, FEATURES), np.float32),
        target_time=np.zeros(total, np.int64),
    )


def test_an_epoch_reads_every_position_exactly_once() -> None:
    streams = pack(LENGTHS, 3, np.random.default_rng(0))
    read = np.concatenate([chunk.positions.ravel() for chunk in chunks(OFFSETS, streams, 4)])
    assert sorted(read[read != PADDING].tolist()) == list(range(int(LENGTHS.sum())))


def test_histories_lie_whole_and_in_order_in_one_stream() -> None:
    streams = pack(LENGTHS, 3, np.random.default_rng(0))
    columns: dict[int, list[int]] = {}
    for chunk in chunks(OFFSETS, streams, 4):
        for column in range(chunk.positions.shape[1]):
            columns.setdefault(column, []).extend(chunk.positions[:, column].tolist())
    for column, members in enumerate(streams):
        expected = [row for v in members for row in range(OFFSETS[v], OFFSETS[v + 1])]
        assert [row for row in columns[column] if row != PADDING] == expected


def test_streams_are_balanced_and_sorted_by_length() -> None:
    streams = pack(LENGTHS, 3, np.random.default_rng(0))
    totals = [int(LENGTHS[members].sum()) for members in streams]
    assert totals == sorted(totals, reverse=True)
    assert totals[0] - totals[-1] <= int(LENGTHS.max())
    assert totals[0] <= -(-int(LENGTHS.sum()) // 3) + int(LENGTHS.min())


def test_streams_that_have_ended_drop_out_of_later_chunks() -> None:
    widths = [chunk.positions.shape[1] for chunk in chunks(OFFSETS, [[2], [0], [1]], 4)]
    assert widths == [3, 2, 1]


def test_another_epoch_reads_in_another_order() -> None:
    rng = np.random.default_rng(0)
    assert pack(LENGTHS, 3, rng) != pack(LENGTHS, 3, rng)


def test_empty_streams_are_left_out() -> None:
    assert len(pack(np.array([3, 2]), 5, np.random.default_rng(0))) == 2


@pytest.mark.parametrize(
    ("batch_tokens", "bptt", "users", "expected"), [(4096, 32, 1000, 128), (4096, 2, 100, 50), (1, 32, 100, 1)]
)
def test_the_number_of_streams_keeps_tokens_per_step_and_leaves_two_users_to_each(
    batch_tokens: int, bptt: int, users: int, expected: int
) -> None:
    assert stream_count(batch_tokens, bptt, users) == expected


def test_a_batch_holds_only_targets_with_weight() -> None:
    positions = _positions()
    weights = np.ones(len(positions.item), np.float32)
    weights[::3] = 0.0
    tensors = TrainingTensors(positions, weights, "cpu")
    seen = 0
    for chunk in chunks(OFFSETS, pack(LENGTHS, 3, np.random.default_rng(0)), 4):
        batch = tensors.batch(chunk)
        places = chunk.positions.ravel()[batch.counted.numpy()]
        assert (places != PADDING).all()
        assert (batch.targets.numpy() == positions.target[places] - 1).all()
        assert (batch.weights > 0).all()
        seen += len(places)
    assert seen == int((weights > 0).sum())
    assert tensors.total_weight == pytest.approx(float(weights.sum()))


def test_padding_reads_the_padding_item_as_a_first_event() -> None:
    tensors = TrainingTensors(_positions(), np.ones(int(OFFSETS[-1]), np.float32), "cpu")
    first = next(iter(chunks(OFFSETS, [[2], [1]], 4)))
    batch = tensors.batch(first)
    assert batch.items[1:, 1].tolist() == [0, 0, 0]
    assert batch.features[1:, 1, FIRST].tolist() == [1.0, 1.0, 1.0]


def _gradient_reaching_step_zero(bptt: int) -> float:
    """Gradient of the loss at step 5 of one history with respect to the features of its step 0."""
    positions = _positions()
    weights = np.zeros(len(positions.item), np.float32)
    weights[int(OFFSETS[2]) + 5] = 1.0
    tensors = TrainingTensors(positions, weights, "cpu")
    model = HrnnModel(ModelShape(9, 4, "hrnn", use_query_gap=True, own_items=False), torch.Generator().manual_seed(0))
    state = model.initial_state(1)
    traced = None
    for chunk in chunks(OFFSETS, [[2]], bptt):
        batch = tensors.batch(chunk)
        if traced is None:
            traced = batch.features.requires_grad_()
        loss, state = chunk_loss(
            model,
            batch,
            state,
            lambda own, *given: full_softmax_loss(given[0], own.item_rows, own.bias, *given[1:]),
            None,
        )
        if len(batch.counted):
            loss.backward()  # type: ignore[no-untyped-call]
    assert traced is not None
    return 0.0 if traced.grad is None else float(traced.grad[0].abs().sum())


@pytest.mark.parametrize(("bptt", "reaches"), [(9, True), (6, True), (5, False), (1, False)])
def test_bptt_is_the_number_of_steps_that_a_gradient_travels_back(bptt: int, reaches: bool) -> None:
    assert (_gradient_reaching_step_zero(bptt) > 0) is reaches


def test_the_state_is_carried_over_the_end_of_a_chunk() -> None:
    tensors = TrainingTensors(_positions(), np.ones(int(OFFSETS[-1]), np.float32), "cpu")
    model = HrnnModel(ModelShape(9, 4, "hrnn", use_query_gap=True, own_items=False), torch.Generator().manual_seed(0))

    def last_state(bptt: int) -> torch.Tensor:
        state = model.initial_state(1)
        for chunk in chunks(OFFSETS, [[2]], bptt):
            batch = tensors.batch(chunk)
            _, state = model.encode(batch.items, batch.features, state, batch.marks)
        return state.hidden

    torch.testing.assert_close(last_state(2), last_state(9))
