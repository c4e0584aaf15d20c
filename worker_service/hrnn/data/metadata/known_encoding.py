"""Features of data that come after training, made as those that the model was trained with."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from hrnn_tuner.domain.data_channel import DataChannel
from worker_service.hrnn.data.metadata.datasets import CONTEXT, USERS
from worker_service.hrnn.data.metadata.encoding import FeatureEncoding
from worker_service.hrnn.data.metadata.kinds import Metadata
from worker_service.hrnn.data.metadata.reading import read_context, read_entities
from worker_service.hrnn.data.metadata.rows import FeatureRows
from worker_service.hrnn.data.sources import find_source
from worker_service.hrnn.data.vocabulary import Vocabulary


def user_features(channel: DataChannel, encoding: FeatureEncoding, user_id: str) -> FeatureRows:
    """The features of one user [1]; one whom the data do not name has empty cells.

    Raises:
        DataError: When the data are missing or malformed, or lack a column that the encoding has.
    """
    source = find_source(channel.uri, USERS.name)
    vocabulary, _ = Vocabulary.encode(pa.array([user_id.encode()], pa.large_binary()))
    return encoding.encode(read_entities(source, channel, USERS, vocabulary, kinds=encoding.kinds))


def context_features(channel: DataChannel, encoding: FeatureEncoding, rows: slice) -> FeatureRows:
    """The features of some rows of the interactions that `load_interactions` gives.

    Raises:
        DataError: When the data are missing or malformed, or lack a column that the encoding has.
    """
    source = find_source(channel.uri, CONTEXT.name)
    context = read_context(source, channel, kinds=encoding.kinds)
    chosen = np.arange(context.count)[rows]
    columns = {name: column.take(pa.array(chosen)) for name, column in context.columns.items()}
    return encoding.encode(Metadata(columns, len(chosen)))
