"""The trailing metadata with which the API says its version."""

from __future__ import annotations

VERSION_HEADER = "hrnn-tuner-version"
