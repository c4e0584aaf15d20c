"""Metadata of users and items, and the context of events, as features of a network."""
