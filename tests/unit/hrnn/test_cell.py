from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from worker_service.hrnn.data.sessions import FEATURES, FIRST, GAP, SESSION_START
from worker_service.hrnn.network.cell import HrnnCell, HrnnState, StepMarks
from worker_service.hrnn.network.model import HrnnModel, ModelShape

H = 6


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _busy_model(cell: str = "hrnn") -> HrnnModel:
    """A model whose parameters are all away from their neutral start, so that every path shows."""
    model = HrnnModel(
        ModelShape(items=9, hidden_dimension=H, cell=cell, use_query_gap=True, own_items=True), _generator()
    )
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=_generator(1)))
        model.table[0] = 0.0
    return model


def _events(steps: int, batch: int, seed: int = 2) -> tuple[Tensor, Tensor]:
    """Random events with session starts; the first step is everybody's first event."""
    generator = _generator(seed)
    items = torch.randint(1, 10, (steps, batch), generator=generator)
    features = torch.zeros(steps, batch, FEATURES)
    features[..., GAP] = torch.rand(steps, batch, generator=generator)
    features[..., SESSION_START] = (torch.rand(steps, batch, generator=generator) < 0.3).float()
    features[0] = 0.0
    features[0, :, FIRST] = 1.0
    return items, features


def test_without_discount_and_user_level_the_cell_is_the_gru_of_torch() -> None:
    cell = HrnnCell(H, _generator(), discount=False, user_level=False)
    reference = torch.nn.GRU(H, H)
    with torch.no_grad():
        reference.get_parameter("weight_ih_l0").copy_(cell.session.weight_ih)
        reference.get_parameter("weight_hh_l0").copy_(cell.session.weight_hh)
        reference.get_parameter("bias_ih_l0").copy_(cell.session.bias_ih)
        reference.get_parameter("bias_hh_l0").copy_(cell.session.bias_hh)
    inputs = torch.randn(7, 3, H, generator=_generator(1))
    start = torch.randn(3, H, generator=_generator(2))
    hidden, user, state = cell(inputs, inputs, torch.zeros(7, 3, FEATURES), HrnnState(start, torch.zeros(3, H)))
    expected, last = reference(inputs, start[None])
    torch.testing.assert_close(hidden, expected)
    torch.testing.assert_close(state.hidden, last[0])
    assert user is None


def test_the_state_is_reset_exactly_at_a_first_event() -> None:
    model = _busy_model()
    items, features = _events(10, 2)
    features[6, 0] = 0.0
    features[6, 0, FIRST] = 1.0
    outputs, _ = model.encode(items, features, model.initial_state(2))
    alone, _ = model.encode(items[6:, :1], features[6:, :1], model.initial_state(1))
    torch.testing.assert_close(outputs[6:, :1], alone)
    without, _ = model.encode(items[:6], features[:6], model.initial_state(2))
    torch.testing.assert_close(outputs[:6], without)
    assert not torch.allclose(outputs[6:, 1], alone[:, 0])


@pytest.mark.parametrize("cell", ["hrnn", "flat"])
def test_a_user_leaks_nothing_to_the_next_user_of_the_stream_nor_to_other_streams(cell: str) -> None:
    model = _busy_model(cell)
    items, features = _events(12, 2)
    features[5, 0] = 0.0
    features[5, 0, FIRST] = 1.0
    features[8, 0, SESSION_START] = 1.0
    before, _ = model.encode(items, features, model.initial_state(2))
    changed_items, changed_features = items.clone(), features.clone()
    changed_items[:5, 0] = 10 - items[:5, 0]
    changed_features[1:5, 0, GAP] += 0.5
    after, _ = model.encode(changed_items, changed_features, model.initial_state(2))
    assert not torch.equal(after[:5, 0], before[:5, 0])
    assert torch.equal(after[5:, 0], before[5:, 0])  # bit for bit
    assert torch.equal(after[:, 1], before[:, 1])


@pytest.mark.parametrize("cell", ["hrnn", "flat"])
def test_streaming_events_one_by_one_equals_reading_the_whole_history(cell: str) -> None:
    model = _busy_model(cell)
    items, features = _events(15, 3)
    whole, last = model.encode(items, features, model.initial_state(3))
    state = model.initial_state(3)
    for step in range(15):
        output, state = model.encode(items[step : step + 1], features[step : step + 1], state)
        torch.testing.assert_close(output[0], whole[step])
    torch.testing.assert_close(state.hidden, last.hidden)
    torch.testing.assert_close(state.user, last.user)
    torch.testing.assert_close(model.output(state), whole[-1])


def test_the_user_state_changes_only_where_a_session_starts() -> None:
    cell = _busy_model().cell
    _, features = _events(8, 2)
    features[..., SESSION_START] = 0.0
    features[3, 1, SESSION_START] = 1.0
    inputs = torch.randn(8, 2, H, generator=_generator(4))
    _, user, _ = cell(inputs, inputs, features, cell.initial_state(2))
    assert user is not None
    assert not user[:, 0].any()
    assert not user[:3, 1].any()
    assert user[3, 1].any()
    assert torch.equal(user[3:, 1], user[3, 1].expand(5, H))


def test_the_step_follows_the_formula_written_out() -> None:
    cell = _busy_model().cell
    generator = _generator(5)
    x, e, h, c = (torch.randn(1, H, generator=generator) for _ in range(4))
    phi = torch.tensor([[0.7, 1.0, 0.0, 0.0]])

    def gru(weights: torch.nn.Module, value: Tensor, state: Tensor) -> Tensor:
        reference = torch.nn.GRUCell(H, H)
        reference.load_state_dict(weights.state_dict())
        result: Tensor = reference(value, state)
        return result

    g = torch.sigmoid(e @ cell.discount_item.T + phi @ cell.discount_time.T + cell.discount_bias)
    user = gru(cell.user, h, c)
    seeded = g * h + torch.tanh(user @ cell.seed_weight.T + cell.seed_bias)
    expected = gru(cell.session, x, seeded)
    _, _, state = cell(x[None], e[None], phi[None], HrnnState(h, c))
    torch.testing.assert_close(state.user, user)
    torch.testing.assert_close(state.hidden, expected)


def test_the_discount_depends_on_the_time_gap() -> None:
    model = _busy_model()
    items, features = _events(4, 1)
    longer = features.clone()
    longer[2, 0, GAP] += 1.0
    first, _ = model.encode(items, features, model.initial_state(1))
    second, _ = model.encode(items, longer, model.initial_state(1))
    assert torch.equal(first[:2], second[:2])
    assert not torch.allclose(first[2], second[2])


def test_an_untrained_model_ignores_user_level_output_and_time_of_asking() -> None:
    model = HrnnModel(
        ModelShape(items=9, hidden_dimension=H, cell="hrnn", use_query_gap=True, own_items=True), _generator()
    )
    outputs = torch.randn(3, H, generator=_generator(1))
    torch.testing.assert_close(model.ask(outputs, torch.rand(3, FEATURES, generator=_generator(2))), outputs)
    assert not model.user_output.any()


def test_marks_read_from_features_say_where_sessions_and_users_start() -> None:
    features = np.zeros((3, 4, FEATURES), np.float32)
    features[0, :, FIRST] = 1.0
    features[2, [1, 3], SESSION_START] = 1.0
    marks = StepMarks.of(features, "cpu")
    assert list(marks.firsts) == [True, False, False]
    assert marks.starts[0] is None
    assert marks.starts[1] is None
    assert marks.starts[2] is not None
    assert marks.starts[2].tolist() == [1, 3]


def test_padding_has_no_score_whatever_its_embedding() -> None:
    model = _busy_model()
    with torch.no_grad():
        model.table[0] = 1e6
    scores = model.scores(torch.ones(1, H), torch.zeros(1, FEATURES), None)
    assert scores.shape == (1, 9)
    assert float(scores.detach().max()) < 1e3


def test_padding_receives_no_gradient() -> None:
    model = _busy_model()
    items, features = _events(5, 2)
    items[3:, 1] = 0
    outputs, _ = model.encode(items, features, model.initial_state(2))
    scores = model.scores(outputs.flatten(0, 1), features.flatten(0, 1), None)
    scores.logsumexp(dim=-1).sum().backward()  # type: ignore[no-untyped-call]
    assert model.table.grad is not None
    assert not model.table.grad[0].any()
