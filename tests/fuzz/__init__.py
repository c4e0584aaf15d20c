"""Arbitrary requests and queue messages: no answer and no message may bring out a defect.

`test_fuzz` does a little of it in every test run; ``make fuzz SECONDS=300`` goes on for as long as it is told.
"""
