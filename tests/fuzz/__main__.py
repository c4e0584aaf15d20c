"""Fuzzes every RPC and every queue for a while: ``python -m tests.fuzz --seconds 300 --seed 1``."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from hrnn_tuner.store import Store
from tests.fuzz.world import fuzz, fuzzed_world
from tests.support.postgres import PrivatePostgres
from tests.support.tuning import open_store

_EXAMPLES = 200


def run(store: Store, folder: Path, *, seconds: float, first: int) -> int:
    """Fuzzes for so long; returns the number of defects."""
    until, number, done = time.monotonic() + seconds, first, 0
    with fuzzed_world(folder, store) as world:
        while time.monotonic() < until:
            for once in (world.rpcs.once, world.queues.once):
                fuzz(once, examples=_EXAMPLES, number=number)
                done += _EXAMPLES
            number += 1
            if world.defects.found:
                break
    for event in world.defects.found:
        sys.stdout.write(f"seed {number - 1}: {event['event']}\n{event['exc_info']}\n")
    sys.stdout.write(
        f"{done} requests and messages, seeds {first} to {number - 1}: {len(world.defects.found)} defects\n"
    )
    return len(world.defects.found)


def main() -> int:
    """Fuzzes services on a PostgreSQL of their own; an answer with a defect ends it with its request."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    server = PrivatePostgres()
    try:
        server.start()
        store = open_store(server.url)
        with tempfile.TemporaryDirectory(prefix="hrnn-tuner-fuzz-") as folder:
            found = run(store, Path(folder), seconds=given.seconds, first=given.seed)
        store.close()
    finally:
        server.close()
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
