"""Measures how well and how fast strategies search, beside other tools: `python -m tests.benchmarks.search`."""
