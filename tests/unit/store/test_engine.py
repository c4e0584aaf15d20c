"""Engines on SQLite."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from hrnn_tuner.store.engine import open_engines

_CONNECTIONS = 8


def test_connections_that_open_a_new_file_at_the_same_time_wait_for_each_other(tmp_path: Path) -> None:
    for attempt in range(20):
        together = Barrier(_CONNECTIONS)
        url = f"sqlite:///{tmp_path}/{attempt}.db"

        def write(url: str = url, together: Barrier = together) -> None:
            writer, _ = open_engines(url)
            together.wait(10)
            with writer.begin() as connection:
                connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS one (number INTEGER)")
            writer.dispose()

        with ThreadPoolExecutor(_CONNECTIONS) as threads:
            for done in [threads.submit(write) for _ in range(_CONNECTIONS)]:
                done.result()
