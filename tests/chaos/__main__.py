"""``python -m tests.chaos``: kills everything, again and again, and checks that the answer stays right."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from tests.chaos import schedule
from tests.chaos.run import run
from tests.chaos.schedule import Fault
from tests.support.postgres import PrivatePostgres
from tests.support.rabbitmq import new_node


def main() -> int:
    """Returns 0 when every invariant held."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long faults are made")
    parser.add_argument("--seed", type=int, default=1, help="of schedule and load")
    parser.add_argument("--replay", type=Path, help="a schedule that a failing run wrote, in place of a drawn one")
    parser.add_argument("--without-real", action="store_true", help="no tuning job of the real algorithm")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # a time limit must not leave the processes behind
    seed, seconds, faults = options.seed, options.seconds, schedule.draw(options.seed, options.seconds)
    if options.replay is not None:
        seed, seconds, faults = schedule.load(options.replay)
    folder = Path(tempfile.mkdtemp(prefix="hrnn-chaos-"))
    folder.chmod(0o755)  # PostgreSQL runs as another user
    (folder / "rabbitmq").mkdir()
    node = new_node(folder / "rabbitmq")
    postgres = PrivatePostgres()
    written = folder / "schedule.json"

    def write(made: list[Fault]) -> None:
        schedule.save(written, seed, seconds, made)

    try:
        node.start()
        postgres.start()
        print(f"seed {seed}, {seconds:g} s, {len(faults)} faults; logs in {folder}", flush=True)
        findings, text = run(
            folder, node, postgres,
            seed=seed, seconds=seconds, faults=faults, on_made=write, real=not options.without_real,
        )  # fmt: skip
    finally:
        node.stop()
        postgres.close()
    if findings.broken:
        print(f"FAILED with seed {seed}; again with: python -m tests.chaos --replay {written}")
        print("\n".join(findings.broken))
        return 1
    print(text)
    shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
