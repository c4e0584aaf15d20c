"""Features of users, items and events, made once per content and host."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from hrnn_tuner.domain.data_channel import DataChannel
from worker_service.hrnn.data.cache import nearest, source_key
from worker_service.hrnn.data.lru import LruCache
from worker_service.hrnn.data.metadata.datasets import CONTEXT, ITEMS, DatasetType
from worker_service.hrnn.data.metadata.features import FEATURES_VERSION, EntityFeatures
from worker_service.hrnn.data.metadata.item_records import ItemRecords, read_item_records
from worker_service.hrnn.data.metadata.kinds import Metadata
from worker_service.hrnn.data.metadata.reading import read_context, read_entities
from worker_service.hrnn.data.prepared_files import Prepared
from worker_service.hrnn.data.sources import find_source
from worker_service.hrnn.data.vocabulary import Vocabulary

#: Categories of fewer entities say too little about each to be told apart.
MIN_CATEGORY_COUNT = 5
_log = logging.getLogger(__name__)
_in_process: LruCache[EntityFeatures] = LruCache(8)
_records_in_process: LruCache[ItemRecords] = LruCache(4)


def load_entity_features(
    channel: DataChannel,
    dataset: DatasetType,
    vocabulary: Vocabulary,
    cache_dir: Path | None,
    *,
    included: Sequence[str] | None = None,
    min_count: int = MIN_CATEGORY_COUNT,
) -> EntityFeatures:
    """The features of users or items.

    Args:
        channel: Where their metadata are and how to read them.
        dataset: USERS or ITEMS.
        vocabulary: The entities, in whose order the rows are. Those that the metadata do not name have empty cells;
            others in the metadata count for nothing.
        cache_dir: Where prepared data are kept; None keeps them in this process only.
        included: The metadata columns to take; None for all that are not reserved.
        min_count: Categories that fewer entities of the vocabulary have count as unknown.

    Raises:
        DataError: When the source is missing or malformed.
    """
    source = find_source(channel.uri, dataset.name)
    key = source_key(source, channel, vocabulary.digest, *_purpose(dataset, included, min_count))
    return _load(key, cache_dir, lambda: read_entities(source, channel, dataset, vocabulary, included), min_count)


def load_context_features(
    channel: DataChannel,
    cache_dir: Path | None,
    *,
    included: Sequence[str] | None = None,
    min_count: int = MIN_CATEGORY_COUNT,
) -> EntityFeatures:
    """The features of the events of interactions, in the order of the events that `load_interactions` gives.

    Args:
        channel: Where the interactions are and how to read them.
        cache_dir: Where prepared data are kept; None keeps them in this process only.
        included: The columns to take; None for all that are not reserved, which may be none.
        min_count: Categories that fewer events have count as unknown.

    Raises:
        DataError: When the source is missing or malformed.
    """
    source = find_source(channel.uri, CONTEXT.name)
    key = source_key(source, channel, *_purpose(CONTEXT, included, min_count))
    return _load(key, cache_dir, lambda: read_context(source, channel, included), min_count)


def load_item_records(channel: DataChannel, cache_dir: Path | None) -> ItemRecords:
    """Which items the data about items name, and when each came into being.

    Args:
        channel: Where they are and how to read them.
        cache_dir: Where prepared data are kept; None keeps them in this process only.

    Raises:
        DataError: When the source is missing or malformed.
    """
    source = find_source(channel.uri, ITEMS.name)
    key = source_key(source, channel, f"records-{FEATURES_VERSION}")
    return nearest(
        key,
        cache_dir,
        _records_in_process,
        lambda: read_item_records(source, channel).to_prepared(),
        ItemRecords.from_prepared,
    )


def forget_in_process() -> None:
    """Drops what this process keeps; the files stay."""
    _in_process.clear()
    _records_in_process.clear()


def _purpose(dataset: DatasetType, included: Sequence[str] | None, min_count: int) -> tuple[str, ...]:
    """What else than the source and the entities decides about the features."""
    chosen = () if included is None else ("included", *sorted(set(included)))
    return (f"features-{FEATURES_VERSION}", dataset.name, str(min_count), *chosen)


def _load(key: str, cache_dir: Path | None, read: Callable[[], Metadata], min_count: int) -> EntityFeatures:
    """From this process, from ``cache_dir``, or from the source, in this order."""

    def make() -> Prepared:
        made = EntityFeatures.of(read(), min_count)
        encoding = made.encoding
        _log.info(
            "prepared %d categorical features and %d numbers of %d entities as %s",
            encoding.feature_count,
            len(encoding.numbers),
            len(made.rows),
            made.fingerprint,
        )
        return made.to_prepared()

    return nearest(key, cache_dir, _in_process, make, EntityFeatures.from_prepared)
