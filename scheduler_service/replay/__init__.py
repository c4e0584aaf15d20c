"""Follows a tuning job's event log and makes every decision again."""

from scheduler_service.replay.replay import Replay, Replayed, replay

__all__ = ["Replay", "Replayed", "replay"]
