from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from hrnn_tuner import failpoints
from hrnn_tuner.failpoints import REGISTRY, Action, FailpointReached, failpoint
from hrnn_tuner.settings import Settings

REPOSITORY = Path(__file__).parents[2]
PACKAGES = ("hrnn_tuner", "api_service", "scheduler_service", "worker_service")


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    yield
    failpoints.arm("")


def test_every_registered_step_stands_in_exactly_one_place() -> None:
    sources = [path.read_text() for package in PACKAGES for path in (REPOSITORY / package).rglob("*.py")]
    used = Counter(name for text in sources for name in re.findall(r"\bfailpoint\(\"([^\"]+)\"\)", text))
    assert used == Counter(list(REGISTRY))


def test_a_step_that_is_not_armed_does_nothing() -> None:
    failpoint("relay.confirmed")
    failpoints.arm("relay.settled=raise")
    failpoint("relay.confirmed")


def test_an_armed_step_raises() -> None:
    failpoints.arm("relay.confirmed=raise")
    with pytest.raises(FailpointReached, match=r"relay\.confirmed"):
        failpoint("relay.confirmed")


def test_a_probability_decides_each_time_anew() -> None:
    failpoints.arm("relay.confirmed:0.5=raise")
    outcomes = set()
    for _ in range(200):
        try:
            failpoint("relay.confirmed")
        except FailpointReached:
            outcomes.add("raised")
        else:
            outcomes.add("passed")
    assert outcomes == {"raised", "passed"}


def test_an_armed_step_kills_its_own_process_without_any_goodbye() -> None:
    code = (
        "import atexit\n"
        "from hrnn_tuner import failpoints\n"
        "atexit.register(print, 'goodbye')\n"
        "failpoints.arm('slot.acked')\n"
        "failpoints.failpoint('slot.acked')\n"
        "print('still here')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, "")


def test_a_setting_names_steps_probabilities_and_actions() -> None:
    assert failpoints.parse(" relay.confirmed:0.25 , slot.acked=sleep:2,upload.copied:0.5=raise,slot.announced ") == {
        "relay.confirmed": Action("kill", 0.25),
        "slot.acked": Action("sleep", 1.0, 2.0),
        "upload.copied": Action("raise", 0.5),
        "slot.announced": Action(),
    }


def test_a_wrong_setting_is_refused_with_everything_that_is_wrong() -> None:
    setting = "no.such,relay.confirmed:2,slot.acked=explode,slot.announced=sleep:long,upload.copied:x"
    with pytest.raises(ValueError, match="unknown step") as caught:
        failpoints.parse(setting)
    for part in ("'no.such'", "probability is 2", "'explode'", "seconds is 'long'", "probability is 'x'"):
        assert part in str(caught.value)


def test_settings_refuse_an_unknown_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(failpoints.VARIABLE, "no.such")
    with pytest.raises(ValidationError, match=r"unknown step 'no\.such'"):
        Settings()


@pytest.mark.parametrize("module", ["api_service", "scheduler_service", "worker_service"])
def test_a_service_with_an_unknown_step_does_not_start(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(failpoints.VARIABLE, "no.such")
    done = subprocess.run(
        [sys.executable, "-m", module], cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert "unknown step 'no.such'" in done.stderr
