from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from hrnn_tuner.domain.objective import Objective, ObjectiveType
from hrnn_tuner.domain.search_space import ContinuousRange, SearchSpace
from hrnn_tuner.domain.tuning_job import StrategyName
from scheduler_service.proposing.strategy_process import StrategyFailed, StrategyProcess
from scheduler_service.strategies import History, strategy_for
from tests.support.waiting import wait_until

HISTORY = History(SearchSpace((ContinuousRange("x", 0.0, 1.0),)), Objective(ObjectiveType.MAXIMIZE, "score"))
OWNER = """
import sys
from scheduler_service.proposing.strategy_process import StrategyProcess
if __name__ == "__main__":
    process = StrategyProcess()
    process.warm_up()
    print(process._process.pid, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def process() -> Iterator[StrategyProcess]:
    started = StrategyProcess()
    yield started
    started.stop()


def test_proposals_are_those_that_the_strategy_makes_here(process: StrategyProcess) -> None:
    found = process.propose(StrategyName.RANDOM, HISTORY, [1, 2, 3], seed=5)
    assert found == strategy_for(StrategyName.RANDOM).propose(HISTORY, [1, 2, 3], 5)


def test_an_error_of_the_strategy_is_told_and_the_process_goes_on(process: StrategyProcess) -> None:
    with pytest.raises(StrategyFailed, match="grid"):
        process.propose(StrategyName.GRID, History(None, HISTORY.objective), [1], seed=5)  # type: ignore[arg-type]
    assert len(process.propose(StrategyName.RANDOM, HISTORY, [1], seed=5)) == 1


def test_a_process_that_was_killed_is_replaced(process: StrategyProcess) -> None:
    process.warm_up()
    assert process._process is not None
    os.kill(process._process.pid or 0, signal.SIGKILL)
    process._process.join()
    assert len(process.propose(StrategyName.RANDOM, HISTORY, [1], seed=5)) == 1


def test_a_process_that_is_killed_while_it_proposes_is_replaced_by_one_that_proposes_the_same(
    process: StrategyProcess,
) -> None:
    process.warm_up()
    worker = process._process
    assert worker is not None
    os.kill(worker.pid or 0, signal.SIGSTOP)  # it takes the question and gives no answer
    killer = threading.Timer(0.5, worker.kill)
    killer.start()
    found = process.propose(StrategyName.RANDOM, HISTORY, [1, 2], seed=5)
    killer.join()
    assert found == strategy_for(StrategyName.RANDOM).propose(HISTORY, [1, 2], 5)
    assert process._process is not worker


class Deadly:
    """Ends the process that receives it."""

    def __reduce__(self) -> tuple[object, ...]:
        return os._exit, (1,)


def test_when_another_process_dies_of_the_same_question_it_is_given_up(process: StrategyProcess) -> None:
    with pytest.raises(StrategyFailed, match="twice"):
        process.propose(StrategyName.RANDOM, Deadly(), [1], seed=5)  # type: ignore[arg-type]
    assert len(process.propose(StrategyName.RANDOM, HISTORY, [1], seed=5)) == 1


def test_after_it_was_closed_nothing_is_started_again(process: StrategyProcess) -> None:
    process.warm_up()
    process.close()
    with pytest.raises(StrategyFailed, match="closed"):
        process.propose(StrategyName.RANDOM, HISTORY, [1], seed=5)
    assert process._process is None


def test_it_dies_with_its_owner(tmp_path_factory: pytest.TempPathFactory) -> None:
    script = tmp_path_factory.mktemp("owner") / "owner.py"
    script.write_text(OWNER)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(("", *sys.path))}
    with subprocess.Popen(
        [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        os.kill(pid, 0)
        owner.kill()

    def gone() -> bool:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        return False

    wait_until(gone, 20, "the process to die")
