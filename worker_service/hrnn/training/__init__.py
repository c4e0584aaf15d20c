"""Fits a network: streams, batches, epochs."""
