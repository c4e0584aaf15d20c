"""Other tools as control planes."""
