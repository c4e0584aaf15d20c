from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks.runs import Figures, Piece, Runs


def doubled(value: int) -> Figures:
    if value < 0:
        raise ValueError("negative")
    return {"value": np.array(2 * value)}


def _pieces(*values: int) -> list[Piece]:
    return [Piece(f"double {value}", doubled, (value,)) for value in values]


@pytest.mark.parametrize("fresh", [True, False])
def test_figures_are_kept_and_not_computed_again(tmp_path: Path, fresh: bool) -> None:
    runs = Runs(tmp_path, fresh=fresh)
    first = runs.run_all(_pieces(1, 2), jobs=2)
    assert {name: int(figures["value"]) for name, figures in first.items()} == {"double 1": 2, "double 2": 4}
    np.savez(runs.path(_pieces(1)[0]), value=np.array(77))
    assert int(runs.run_all(_pieces(1, 2), jobs=1)["double 1"]["value"]) == 77


def test_a_failed_run_fails_the_table_and_the_others_are_kept(tmp_path: Path) -> None:
    runs = Runs(tmp_path, fresh=False)
    with pytest.raises(RuntimeError, match=r"1 runs failed:\ndouble -1: ValueError"):
        runs.run_all(_pieces(-1, 3), jobs=1)
    assert [*runs.finished(_pieces(-1, 3))] == ["double 3"]


def test_nothing_starts_when_the_time_is_over(tmp_path: Path) -> None:
    assert Runs(tmp_path).run_all(_pieces(1), jobs=1, minutes=0.0) == {}


def test_figures_belong_to_the_code_of_all_runs_and_to_that_of_the_piece(tmp_path: Path) -> None:
    code = tmp_path / "code.py"
    code.write_text("one")
    other = tmp_path / "other.py"
    other.write_text("one")
    piece = Piece("piece", doubled, (1,))
    with_code = Piece("piece", doubled, (1,), (str(code),))
    paths = {
        Runs(tmp_path).path(piece),
        Runs(tmp_path, (str(code),)).path(piece),
        Runs(tmp_path, (str(code),)).path(with_code),
    }
    assert len(paths) == 3
    assert Runs(tmp_path, (str(code),)).path(piece) == Runs(tmp_path).path(with_code)
