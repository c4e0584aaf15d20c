"""Chaos: real processes are killed, frozen and cut off while tuning jobs run, and the answer must stay right.

What of the design's invariants is checked, and where:

* 1, 2, 3, 4, 5 and 7 (limits, counters, old attempts, best, nothing after a stop): at every revision while the run
  goes on (`tests.support.event_log`), and against the rows at the end.
* 3, 8 (every training job ends once, nothing confirmed is lost): all end completed or stopped, with the result that
  theory says, every metric point, a whole artifact of the attempt that counts, empty queues and an empty outbox
  (`verify`). Metric points of attempts that ran when the broker was killed or wiped are excused: a report waits on the
  broker only.
* 6: the proposals are those of the seed (`verify`).
* 9: no process ends by itself (`saboteur`), all end with status 0 when told to; a client meets with no other error than
  UNAVAILABLE or its own deadline, and every target makes progress again (`load`, `monitor`).
* 11: artifacts carry their attempt's fingerprint (`verify`).
* 12: every stream, resumed through all of it, has each revision once and adds up to Get and List (`load`).
* 13: requests are repeated with their ids, and ids with other requests (`load`).

10 and 14 need a clock and a load of their own: tests/integration/test_reaper.py, tests/integration/test_scheduler.py.
"""
