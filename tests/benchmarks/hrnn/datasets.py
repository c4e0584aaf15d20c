"""The real interaction data that the tables are measured on; they lie beside the checkout and belong to no commit."""

from __future__ import annotations

from hrnn_tuner.domain.data_channel import DataChannel
from tests.benchmarks.paths import DATA, cache_of
from worker_service.hrnn.data.cache import load_interactions
from worker_service.hrnn.data.preparation import Interactions

#: Prepared data and finished runs.
CACHE = cache_of("bench-hrnn")

_OPTIONS = {
    # Ratings above 3, as in the published notebooks.
    "ml-100k": {"event_value_threshold": 4.0},
    # Only the order is known: it stands for the time, one second an event.
    "ml-1m-order": {"columns": {"TIMESTAMP": "ORDER"}},
    "online-retail-2": {},
    "yoochoose-100k": {},
}


def interactions(name: str) -> Interactions:
    """Loads a data set.

    Raises:
        SystemExit: When the data are not there.
    """
    path = DATA / name / "interactions.csv.gz"
    if not path.exists():
        raise SystemExit(f"{path} is missing: the tables need the data sets {', '.join(_OPTIONS)} in {DATA}")
    return load_interactions(DataChannel(str(path), **_OPTIONS[name]), CACHE)  # type: ignore[arg-type]
