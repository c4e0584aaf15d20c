"""About a minute of chaos; ``make chaos`` runs longer ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos import schedule
from tests.chaos.run import run
from tests.support.postgres import PrivatePostgres
from tests.support.rabbitmq_node import RabbitMqNode

#: A schedule of this length with all processes, broker and database as targets, and eight steps at which one dies.
SEED = 1007
#: Start, faults, the end of the last tuning jobs and the checks take about a minute together.
SECONDS = 40.0


@pytest.mark.chaos
@pytest.mark.timeout(240)  # a minute on an idle machine; a busy one also has to start RabbitMQ twice
def test_every_process_may_be_killed_at_any_moment_and_the_answer_stays_right(
    tmp_path: Path, rabbitmq_node: RabbitMqNode, postgres_server: PrivatePostgres
) -> None:
    made: list[schedule.Fault] = []
    faults = schedule.draw(SEED, SECONDS)
    try:
        findings, report = run(
            tmp_path, rabbitmq_node, postgres_server,
            seed=SEED, seconds=SECONDS, faults=faults, on_made=made.extend, real=False,
        )  # fmt: skip
    finally:
        schedule.save(tmp_path / "schedule.json", SEED, SECONDS, made)
    print(report)
    assert findings.broken == [], f"python -m tests.chaos --replay {tmp_path / 'schedule.json'}"
    assert len(made) == len(faults)
    assert findings.recoveries


def test_a_schedule_is_what_its_seed_says() -> None:
    assert schedule.draw(7, 600) == schedule.draw(7, 600)
    assert schedule.draw(7, 600) != schedule.draw(8, 600)


def test_ten_minutes_have_three_hundred_faults_of_every_kind_on_everything() -> None:
    faults = schedule.draw(1, 600)
    assert len(faults) >= 300
    assert {fault.target for fault in faults} == {*schedule.PROCESSES, schedule.BROKER, schedule.DATABASE}
    kinds = {"kill", "failpoint", "freeze", "kill_child", "latency", "half_open", "cut", "restart", "wipe", "close"}
    assert {fault.kind for fault in faults} == kinds
    assert all(0 <= fault.at_s <= 600 for fault in faults)


def test_a_schedule_is_read_as_it_was_written(tmp_path: Path) -> None:
    faults = schedule.draw(3, 30)
    schedule.save(tmp_path / "schedule.json", 3, 30.0, faults)
    assert schedule.load(tmp_path / "schedule.json") == (3, 30.0, faults)
