"""What is done to whom and when: drawn from a seed, written to a file, read from it again."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from hrnn_tuner.failpoints import REGISTRY

APIS = ("api-0", "api-1")
SCHEDULERS = ("scheduler-0", "scheduler-1")
WORKERS = ("worker-0", "worker-1", "worker-2")
PROCESSES = (*APIS, *SCHEDULERS, *WORKERS)
BROKER = "broker"
DATABASE = "database"

#: So many faults in so many seconds: 300 in ten minutes, and a few more.
FAULTS_PER_S = 0.52
#: Relative frequency of each kind.
_WEIGHTS = {
    "kill": 30,
    "failpoint": 26,
    "freeze": 13,
    "kill_child": 9,  # a trainer, or a scheduler's process that asks models
    "latency": 6,
    "half_open": 5,
    "cut": 6,
    "restart": 3,
    "wipe": 3,
    "close": 1,
}
#: Frequency of processes as targets; the last worker imports torch at each start, which costs seconds.
_PROCESS_WEIGHTS = dict(zip(PROCESSES, (3, 3, 5, 5, 5, 5, 2), strict=True))
_STEPS_OF = {
    "api": ("api.",),
    "scheduler": ("planning.", "relay.", "ingester.", "reaper.", "dead_letters.", "outgoing."),
    "worker": ("slot.", "attempt.", "reporter.", "heartbeat.", "upload."),
}


@dataclass(frozen=True)
class Fault:
    """One fault.

    Attributes:
        at_s: When it begins, after the start of the schedule.
        kind: ``kill``, ``failpoint``, ``freeze``, ``kill_child``, ``latency``, ``half_open``, ``cut``, ``restart``,
            ``wipe`` or ``close``.
        target: A process, the broker or the database.
        seconds: How long it lasts; for a failpoint at most so long.
        argument: The failpoint's setting, the link of network trouble, the depth of a wipe.
    """

    at_s: float
    kind: str
    target: str
    seconds: float = 0.0
    argument: str = ""


def draw(seed: int, seconds: float) -> list[Fault]:
    """Draws a schedule; the first and the last seconds are quiet enough for a start and an end."""
    rng = random.Random(seed)
    count = max(1, round(seconds * FAULTS_PER_S))
    kinds = list(_WEIGHTS)
    times = sorted(rng.uniform(0, seconds) for _ in range(count))
    return [_fault(rng, round(at, 3), rng.choices(kinds, list(_WEIGHTS.values()))[0]) for at in times]


def _fault(rng: random.Random, at: float, kind: str) -> Fault:
    process = rng.choices(PROCESSES, list(_PROCESS_WEIGHTS.values()))[0]
    seconds = round(rng.uniform(0.3, 6.0), 2)
    if kind == "failpoint":
        return Fault(at, kind, process, 6.0, _setting(rng, process.partition("-")[0]))
    if kind == "freeze":
        target = rng.choices([process, BROKER, DATABASE], [8, 1, 1])[0]
        return Fault(at, kind, target, seconds)
    if kind == "kill_child":
        return Fault(at, kind, rng.choice((*SCHEDULERS, *WORKERS)))
    if kind in {"latency", "half_open", "cut"}:
        link = BROKER if process in WORKERS else rng.choice([BROKER, DATABASE])
        return Fault(at, kind, process, seconds, link)
    if kind == "restart":
        return Fault(at, kind, rng.choice([BROKER, DATABASE]), round(rng.uniform(0.0, 3.0), 2))
    if kind == "wipe":
        return Fault(at, kind, BROKER, argument=rng.choice(["queues", "everything"]))
    if kind == "close":
        return Fault(at, kind, BROKER)
    return Fault(at, kind, process)


def _setting(rng: random.Random, service: str) -> str:
    names = [name for name in REGISTRY if name.startswith(_STEPS_OF[service])]
    probability = rng.choice(["", "", ":0.3"])
    action = rng.choices(["", "=raise", f"=sleep:{rng.uniform(0.5, 3):.1f}"], [8, 1, 1])[0]
    return f"{rng.choice(names)}{probability}{action}"


def save(path: Path, seed: int, seconds: float, faults: Sequence[Fault]) -> None:
    """Writes a schedule."""
    document = {"seed": seed, "seconds": seconds, "faults": [asdict(fault) for fault in faults]}
    path.write_text(json.dumps(document, indent=1))


def load(path: Path) -> tuple[int, float, list[Fault]]:
    """Reads a schedule: seed, seconds and faults."""
    document = json.loads(path.read_text())
    return int(document["seed"]), float(document["seconds"]), [Fault(**item) for item in document["faults"]]
