"""Measures whatever ranks items."""
