"""The simulated fleet as a process; with ``--embedded`` the services are in it too, as in `hrnn-tuner serve`.

It prints one JSON object when it is ready, and one for each line of input: a behaviour to have from now on, as JSON.
The answer is what happened since the line before.
"""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from api_service.server import run_in_thread
from hrnn_tuner.algorithms import load_algorithms
from hrnn_tuner.broker import Broker
from hrnn_tuner.broker.connect import open_broker
from hrnn_tuner.broker.memory import InMemoryHub
from hrnn_tuner.broker.topology import build_topology
from hrnn_tuner.cli.serve import embedded_settings
from hrnn_tuner.store import Store
from hrnn_tuner.store.migrate import migrate
from hrnn_tuner.telemetry import configure_logging
from scheduler_service.service import SchedulerService
from tests.benchmarks.control_plane.fleet import RESOURCE_CLASS, Behaviour, Fleet


def embedded(folder: Path, slots: int, stack: ExitStack) -> tuple[Broker, str]:
    """Starts API and scheduler in this process; returns the fleet's link and the API's address."""
    settings = embedded_settings(data_dir=folder, listen="127.0.0.1:0", slots=slots, data_prefixes=[str(folder)])
    migrate(settings.database_url)
    store = Store(settings.database_url)
    stack.callback(store.close)
    hub = InMemoryHub(build_topology([RESOURCE_CLASS]))
    scheduler = SchedulerService(settings, store, stack.enter_context(hub.connect("scheduler")))
    scheduler.start()
    stack.callback(scheduler.stop)
    api = run_in_thread(settings, store, stack.enter_context(hub.connect("api")), load_algorithms(settings.algorithms))
    stack.callback(api.close, 1.0)
    return stack.enter_context(hub.connect("fleet")), api.address


def main() -> None:
    """Serves until the input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--slots", type=int, required=True)
    parser.add_argument("--broker-url", default="")
    parser.add_argument("--embedded", type=Path, metavar="FOLDER")
    arguments = parser.parse_args()
    configure_logging(service="fleet", log_format="console", level="WARNING")
    with ExitStack() as stack:
        address = ""
        if arguments.embedded is not None:
            broker, address = embedded(arguments.embedded, arguments.slots, stack)
        else:
            broker = stack.enter_context(
                open_broker(arguments.broker_url, name="fleet", resource_classes=[RESOURCE_CLASS])
            )
        fleet = Fleet(broker, arguments.slots)
        fleet.start()
        stack.callback(fleet.stop)
        print(json.dumps({"address": address}), flush=True)
        for line in sys.stdin:
            fleet.behaviour = Behaviour(**json.loads(line))
            print(json.dumps(asdict(fleet.taken_record())), flush=True)


if __name__ == "__main__":
    main()
