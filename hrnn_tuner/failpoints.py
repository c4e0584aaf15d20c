"""Labelled steps at which a process can be made to die, sleep or fail, so that tests can show that it does no harm.

``HRNN_TUNER_FAILPOINT=name[:probability][=action][,...]`` arms steps at the start of a process; the action is ``kill``
(SIGKILL of the own process, the default), ``sleep:SECONDS`` or ``raise``. Example:
``HRNN_TUNER_FAILPOINT=relay.confirmed:0.25,slot.acked=sleep:2``. Where nothing is armed, a step costs one look at a
variable.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass

VARIABLE = "HRNN_TUNER_FAILPOINT"

#: Every step by name: which process passes it, and what has just happened there.
REGISTRY: Mapping[str, str] = {
    "api.create.locked": "api: a tuning job is written, not committed",
    "api.create.committed": "api: a tuning job is committed, the scheduler was not told",
    "api.stop.committed": "api: a stop is committed, the scheduler was not told",
    "planning.planned": "scheduler: a planning round has launched training jobs, not committed",
    "planning.committed": "scheduler: launches are committed, their tasks not handed to the relay",
    "relay.publishing": "scheduler: a task is about to be published",
    "relay.confirmed": "scheduler: a task is confirmed, its outbox row still there",
    "relay.settled": "scheduler: outbox rows of published tasks are removed, nobody was told",
    "relay.left_behind": "scheduler: tasks that were left behind are confirmed, their rows removed, not committed",
    "ingester.applied": "scheduler: a batch of reports is applied, not committed",
    "ingester.committed": "scheduler: a batch of reports is committed, not acknowledged",
    "ingester.acked": "scheduler: a batch of reports is acknowledged, its consequences not sent",
    "reaper.applied": "scheduler: a lost attempt is ended, not committed",
    "reaper.committed": "scheduler: a lost attempt is committed as ended, the next one's task not handed to the relay",
    "reaper.requeued": "scheduler: a lost task is in the outbox again, not handed to the relay",
    "dead_letters.committed": "scheduler: a dead letter is worked off, not acknowledged",
    "outgoing.sending": "scheduler: a command or hint is about to be sent",
    "slot.delivered": "worker: a task was delivered, nothing was said about it",
    "slot.announced": "worker: the starts of a task are confirmed, the task is not acknowledged",
    "slot.acked": "worker: a task is acknowledged, nothing runs yet",
    "attempt.ordered": "worker: the trainer has its order",
    "attempt.ended": "worker: an attempt is over, its end not reported",
    "reporter.publishing": "worker: a report is about to be published",
    "reporter.confirmed": "worker: a report is confirmed, still in the spool",
    "heartbeat.publishing": "worker: a heartbeat is about to be published",
    "upload.copied": "trainer: an artifact is copied, not in its place",
    "upload.placed": "trainer: an artifact is in its place, nobody was told",
}


class FailpointReached(Exception):
    """An armed step with the action ``raise`` was reached."""


@dataclass(frozen=True)
class Action:
    """What happens at an armed step.

    Attributes:
        kind: ``kill``, ``sleep`` or ``raise``.
        probability: How likely it happens each time, above 0 and at most 1.
        seconds: Length of a sleep.
    """

    kind: str = "kill"
    probability: float = 1.0
    seconds: float = 0.0


_armed: Mapping[str, Action] | None = None


def failpoint(name: str) -> None:
    """Marks a step; each name stands in exactly one place.

    Raises:
        FailpointReached: When the step is armed so.
    """
    if _armed is not None:
        _reach(name, _armed)


def arm(setting: str) -> None:
    """Arms the steps of a setting for this process; an empty one disarms all.

    Raises:
        ValueError: When the setting makes no sense; it names everything that is wrong.
    """
    global _armed
    _armed = parse(setting) or None


def parse(setting: str) -> dict[str, Action]:
    """Reads a setting.

    Raises:
        ValueError: When it makes no sense; it names everything that is wrong.
    """
    armed: dict[str, Action] = {}
    problems = []
    for part in filter(None, (item.strip() for item in setting.split(","))):
        step, _, action = part.partition("=")
        name, _, probability = step.partition(":")
        try:
            if name not in REGISTRY:
                raise ValueError(f"unknown step {name!r}; allowed: {', '.join(REGISTRY)}")
            armed[name] = _action(action, probability)
        except ValueError as error:
            problems.append(f"{part!r}: {error}")
    if problems:
        raise ValueError("; ".join(problems))
    return armed


def _action(action: str, probability: str) -> Action:
    """One action from its text."""
    likely = _number(probability or "1", "probability")
    if not 0 < likely <= 1:
        raise ValueError(f"probability is {probability}; allowed: above 0, at most 1")
    kind, _, argument = (action or "kill").partition(":")
    if kind == "sleep":
        seconds = _number(argument, "seconds")
        if not 0 <= seconds <= 3600:
            raise ValueError(f"seconds is {argument}; allowed: 0 to 3600")
        return Action(kind, likely, seconds)
    if kind not in {"kill", "raise"} or argument:
        raise ValueError(f"unknown action {action!r}; allowed: kill, raise, sleep:SECONDS")
    return Action(kind, likely)


def _number(text: str, what: str) -> float:
    """A number from its text."""
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{what} is {text!r}; allowed: a number") from None


def _reach(name: str, armed: Mapping[str, Action]) -> None:
    """Does what is armed for a step."""
    action = armed.get(name)
    if action is None or random.random() >= action.probability:
        return
    if action.kind == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif action.kind == "sleep":
        time.sleep(action.seconds)
    else:
        raise FailpointReached(f"failpoint {name}")
