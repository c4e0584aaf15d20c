"""Recommends from a trained network: softmax scores over the items that it may recommend after a user's history."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hrnn_tuner.algorithms.contract import Recommendation
from hrnn_tuner.domain.data_channel import DataChannel
from worker_service.hrnn.data.cache import load_interactions
from worker_service.hrnn.data.metadata.known_encoding import context_features, user_features
from worker_service.hrnn.live_user import LiveUser
from worker_service.hrnn.served_model import ServedModel, Texts


class HrnnRecommender:
    """Serves the model of one artifact; safe for threads, as nothing is changed after construction.

    Metadata are optional wherever a model that was trained with them takes them: what is not given is not known.

    Args:
        artifact_dir: Local directory of the artifact.
        device: A torch device string.
        cache_dir: Where prepared interactions are kept between processes; None keeps them in this process only.

    Raises:
        AlgorithmError: When there is no usable model.
    """

    def __init__(self, artifact_dir: str | Path, device: str = "cpu", cache_dir: Path | None = None) -> None:
        self._model = ServedModel(Path(artifact_dir), device)
        self._cache_dir = cache_dir

    def recommend_for_user(
        self,
        user_id: str,
        interactions: DataChannel,
        k: int,
        *,
        filter_seen: bool = False,
        users: DataChannel | None = None,
        context: Texts | None = None,
    ) -> Sequence[Recommendation]:
        """The best ``k`` items for a user of the interactions data, by the user's whole history there.

        The time of the request counts as a typical session start.

        Args:
            user_id: USER_ID; an unknown user gets popular items.
            interactions: CSV or Parquet data, as for training; any number of rows will do.
            k: Length of the list, at least 1; shorter when the catalogue is.
            filter_seen: Leave out the items of the history.
            users: Metadata of users, as for training.
            context: Context of the request.

        Raises:
            DataError: When data are missing or malformed.
        """
        found = load_interactions(interactions, self._cache_dir)
        user = found.users.find(user_id)
        rows = slice(0, 0) if user is None else found.history(user)
        events = zip(found.item[rows].tolist(), found.timestamp[rows].tolist(), strict=True)
        encodings = self._model.artifact.encodings
        live = LiveUser(
            self._model,
            [(found.items[item], time) for item, time in events],
            None if encodings.context is None else context_features(interactions, encodings.context, rows),
            None if encodings.users is None or users is None else user_features(users, encodings.users, user_id),
        )
        return live.recommend(None, k, filter_seen=filter_seen, context=context)

    def recommend(
        self,
        history: Sequence[tuple[str, int]],
        now: int | None,
        k: int,
        *,
        filter_seen: bool = False,
        context: Texts | None = None,
        event_contexts: Sequence[Texts] | None = None,
        user: Texts | None = None,
    ) -> list[Recommendation]:
        """The best ``k`` items after a history.

        Args:
            history: (ITEM_ID, Unix seconds) of each event, in any order; exact duplicates and items that the model does
                not know are left out. Without any known item, popular items come first.
            now: Unix seconds of the request; None counts as a typical session start.
            k: Length of the list, at least 1.
            filter_seen: Leave out the items of the history.
            context: Context of the request.
            event_contexts: Context of each event of the history.
            user: Metadata of the user.

        Returns:
            At most ``k`` items, best first, each with its share of the softmax over all items that may be recommended:
            the whole catalogue, or with ``hrnn-coldstart`` the new items.

        Raises:
            AlgorithmError: When ``k`` is below 1.
            DataError: When metadata or context do not fit the model.
        """
        live = self.user(history, event_contexts=event_contexts, user=user)
        return live.recommend(now, k, filter_seen=filter_seen, context=context)

    def user(
        self,
        history: Sequence[tuple[str, int]] = (),
        *,
        event_contexts: Sequence[Texts] | None = None,
        user: Texts | None = None,
    ) -> LiveUser:
        """A user to be followed event by event, after a history as in `recommend`."""
        contexts = self._model.encode_context(event_contexts)
        if contexts is not None and len(contexts) != len(history):
            raise ValueError(f"got {len(contexts)} contexts for {len(history)} events; allowed: one for each")
        return LiveUser(self._model, history, contexts, self._model.encode_user(user))
