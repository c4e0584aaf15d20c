"""Runs training jobs: a small supervisor with one warm trainer process per slot.

The worker knows the broker and the object store, and nothing else: no database, no other service. Start it with
``python -m worker_service``, or embed it with `worker_service.composition.build_worker`.
"""
